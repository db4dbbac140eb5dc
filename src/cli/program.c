/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/opensslv.h>

#include "cli/again.h"
#include "cli/completion.h"
#include "cli/conf.h"
#include "cli/run_files.h"
#include "cli/run_words.h"
#include "control/control.h"
#include "control/signals.h"
#include "util/crypto_alloc.h"
#include "util/exit_status.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/xalloc.h"

static void
program_help(const struct program *p)
{
	fputs(p->usage, stdout);
	options_help(p->tables, p->options->help_all, stdout);
	if (p->options->help_all)
		fputs("\n", stdout);
	fputs(p->epilog, stdout);
}

static void
program_version(const struct program *p)
{
	printf("%s %s\nbuilt with libssh2 %s, OpenSSL %s, jansson %s\n",
	    p->name, PACKAGE_VERSION, LIBSSH2_BUILT_WITH, OPENSSL_VERSION_STR,
	    JANSSON_VERSION);
}

/*
 * Programs expect 0 to 2 to be open, or their files land there. What was
 * closed stays of no use: reading or writing fails rather than being lost.
 */
static void
open_standard_descriptors(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* The lowest that is free is fd. */
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null",
			fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
	}
}

static int
flush_stdout(struct error *err)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		error_set(err, "stdout: %s", strerror(errno));
		return EXIT_LOCAL;
	}
	return EXIT_OK;
}

/* A file may have the lines of many runs: say in it which are this one's. */
static void
log_run(const struct program *p, const char *what, const char *more,
    uint64_t number)
{
	if (p->options->log != NULL)
		log_event(LOG_HOSTS, p->name, what, "process %d, %s%" PRIu64,
		    (int)getpid(), more, number);
}

/* Returns whether there was something to tell. */
static bool
log_memory(const struct program *p)
{
	bool is_all;
	size_t bytes = secret_locked_bytes(&is_all);

	if (!is_all)
		log_event(LOG_HOSTS, p->name, "memory",
		    "of what holds passwords and keys %zu kB are locked, the "
		    "rest may be swapped out (\"ulimit -l\" tells how much may "
		    "be locked)",
		    bytes / 1024);
	return !is_all;
}

static int
program_control(const struct program *p, struct run_hosts *hosts,
    char **operands, struct error *err)
{
	struct plan plan = {.input_fd = -1};
	int status = EXIT_USAGE;
	bool was_told;

	log_run(p, "begin", "hosts: ", hostset_count(hosts->names));
	was_told = log_memory(p);
	/* Outputs that are gone or full are errors, and no more than that. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Where it is ignored, how a process of ours ended is lost. */
	signal(SIGCHLD, SIG_DFL);
	if (p->plan(p->ctx, &plan, hosts, operands, err) == -1 ||
	    run_plan_fill(&plan, p->options, hosts, p->name, err) == -1)
		goto out;
	status = control_run(&plan, err);
	if (status == -1)
		status = report_end(plan.report, EXIT_LOCAL);
	else
		err->text[0] = '\0';
out:
	report_free(plan.report);
	host_keys_free(plan.host_keys);
	if (err->text[0] != '\0')
		log_error("%s", err->text);
	err->text[0] = '\0';
	/* Keys have come since then. */
	if (!was_told)
		log_memory(p);
	log_run(p, "end", "exit status ", (uint64_t)status);
	return status;
}

static int
program_hosts(const struct program *p, char **operands, struct error *err)
{
	const struct run_options *o = p->options;
	struct run_hosts hosts;
	int status = EXIT_USAGE;

	if (run_hosts_load(&hosts, o, err) == -1)
		goto out;
	if (hosts.nothing.text[0] != '\0') {
		if (!o->quiet)
			log_error("%s", hosts.nothing.text);
		status = EXIT_OK;
	} else if (!o->list && !o->list_folded) {
		status = program_control(p, &hosts, operands, err);
	} else {
		run_hosts_list(&hosts, o->list_folded);
		status = flush_stdout(err);
	}
out:
	run_hosts_clear(&hosts);
	return status;
}

/* Where messages and log lines go, and which. */
static int
program_log(const struct run_options *o, struct error *err)
{
	struct error why;

	log_set_quiet(o->quiet);
	log_set_level(o->verbose);
	if (o->log == NULL || log_open(o->log, &why) == 0)
		return 0;
	return error_option(err, "log", why.text);
}

static int
program_begin(const struct program *p, int argc, char **argv, int operand,
    struct error *err)
{
	struct run_options *o = p->options;
	int status;

	if (run_files_check(o, err) == -1 || program_log(o, err) == -1)
		return EXIT_USAGE;
	o->again = again_command(p->tables, o, argc, argv);
	o->choice = run_words_choice(o);
	status = program_hosts(p, argv + operand, err);
	free(o->again);
	free(o->choice);
	return status;
}

/* Do what the command line asks for, once it is understood. */
static int
program_options(const struct program *p, struct conf *conf, int argc,
    char **argv, int operand, struct error *err)
{
	const struct run_options *o = p->options;

	if (o->help || o->help_all)
		program_help(p);
	else if (o->version)
		program_version(p);
	else if (conf_read(conf, p->tables, p->name, o->config, err) == -1)
		return EXIT_USAGE;
	else if (o->print_config)
		conf_print(conf, p->tables, p->name, stdout);
	else
		return program_begin(p, argc, argv, operand, err);
	return flush_stdout(err);
}

int
program_run(const struct program *p, int argc, char **argv)
{
	struct conf conf = {.texts = NULL};
	struct error err = {""};
	int operand, status;

	signals_ignore_asking();
	open_standard_descriptors();
	secret_hide_process();
	secret_init();
	log_init(p->name);
	crypto_alloc_init();
	/* A record would lack what there was no memory for. */
	json_set_alloc_funcs(xmalloc, free);
	p->options->origins = &conf.origins;
	if (argc > 2 && strcmp(argv[1], COMPLETION_WORD) == 0) {
		status = completion_print(p, argc - 2, argv + 2);
	} else if (options_parse(p->tables, argc, argv, &conf.origins, &operand,
		       &err) == -1) {
		log_error("%s", err.text);
		fprintf(stderr, "See %s --help-all.\n", p->name);
		status = EXIT_USAGE;
		err.text[0] = '\0';
	} else {
		status = program_options(p, &conf, argc, argv, operand, &err);
	}
	if (err.text[0] != '\0')
		log_error("%s", err.text);
	if (argc <= 1)
		fprintf(stderr, "See %s --help.\n", p->name);
	options_clear(p->tables);
	buf_clear(&p->options->task);
	conf_clear(&conf);
	log_close();
	return status;
}
