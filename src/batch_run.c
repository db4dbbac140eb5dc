/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch_run: run a command on many hosts. See batch_run(1). */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/opensslv.h>

#include "cli/options.h"
#include "cli/run_options.h"
#include "control/control.h"
#include "control/input.h"
#include "inventory/select.h"
#include "util/log.h"
#include "util/quote.h"
#include "util/xalloc.h"

#define EXIT_USAGE 2
#define EXIT_LOCAL 5

/* libssh2 sends no packet over 35,000 bytes, RFC 4253 section 6.1. */
#define COMMAND_MAX 32000u
/* What execve(2) may have handed us, quoted. */
#define ARGUMENTS_MAX (64u << 20)

struct options {
	struct run_options run;
	const char *command, *script, *input;
	struct option_list env;
};

#define AT(member) offsetof(struct options, member)

static const struct option_row command_rows[] = {
    {"cmd", "COMMAND", OPTION_STRING, AT(command),
	"a command line for the remote shell", "What to run"},
    {"script", "FILE [-- ARG...]", OPTION_STRING, AT(script),
	"a local script, fed to its interpreter there"},
    {"stdin", "FILE", OPTION_STRING, AT(input),
	"what every command reads; - is stdin"},
    {"env", "NAME=VALUE", OPTION_LIST, AT(env),
	"set a variable for the command"},
    {NULL},
};

static void
usage(const struct option_table *tables, FILE *out)
{
	fprintf(out,
	    "usage: batch_run -h HOSTS | -g GROUPS  -cmd COMMAND [options]\n"
	    "       batch_run -g GROUPS -script FILE [options] [-- ARG...]\n"
	    "       batch_run -g GROUPS -list\n");
	options_help(tables, out);
	fprintf(out,
	    "\nExit status: 0 all ok, 1 a command failed, 2 usage, 3 "
	    "unreachable/timeout/lost,\n4 host key or login, 5 local error.  "
	    "See batch_run(1), batch_inventory(5).\n");
}

static void
version(void)
{
	printf("batch_run %s\nbuilt with libssh2 %s, OpenSSL %s, jansson %s\n",
	    PACKAGE_VERSION, LIBSSH2_BUILT_WITH, OPENSSL_VERSION_STR,
	    JANSSON_VERSION);
}

/* --- the command --------------------------------------------------------- */

static bool
is_shell(const char *interpreter)
{
	static const char *const shells[] = {
	    "sh", "bash", "dash", "ksh", "mksh", "zsh", "ash"};
	const char *base = strrchr(interpreter, '/');
	size_t i, len;

	base = base != NULL ? base + 1 : interpreter;
	base = strncmp(base, "env ", 4) == 0 ? base + 4 : base;
	len = strcspn(base, " ");
	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strlen(shells[i]) == len &&
		    strncmp(base, shells[i], len) == 0)
			return true;
	}
	return false;
}

/*
 * What runs a script that comes on stdin: the interpreter of its "#!" line,
 * told to read stdin and to take the arguments: "sh -s -- ARGS", "python3 -
 * ARGS".
 */
static void
script_interpreter(int fd, struct buf *command)
{
	char line[256];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	const char *interpreter = "sh";
	char *p;

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, "#!", 2) == 0) {
		p = line + 2 + strspn(line + 2, " \t");
		if (*p != '\0')
			interpreter = p;
	}
	buf_printf(command, "%s %s", interpreter,
	    is_shell(interpreter) ? "-s --" : "-");
}

/* Fill in what runs and what it reads. Returns 0, or -1 with err. */
static int
plan_command(struct plan *plan, const struct options *o, char **args,
    struct buf *command, struct error *err)
{
	const char *input = o->script != NULL ? o->script : o->input;

	if (o->command == NULL && o->script == NULL)
		return error_set(err, "nothing to run: give -cmd or -script");
	if (o->command != NULL && o->script != NULL)
		return error_set(err, "-cmd and -script exclude each other");
	if (o->script != NULL && o->input != NULL)
		return error_set(err,
		    "-script and -stdin exclude each other: the script comes "
		    "on stdin");
	if (o->script == NULL && args[0] != NULL)
		return error_set(err,
		    "unexpected argument \"%s\": arguments go with -script, a "
		    "command in one word after -cmd",
		    args[0]);
	if (o->command != NULL && o->command[0] == '\0')
		return error_set(err, "-cmd: the command is empty");
	if (input != NULL) {
		plan->stdin_fd = input_open(input, &plan->stdin_bytes, err);
		if (plan->stdin_fd == -1)
			return -1;
	}
	if (o->script != NULL)
		script_interpreter(plan->stdin_fd, command);
	else
		buf_puts(command, o->command);
	for (; *args != NULL; args++) {
		buf_puts(command, " ");
		quote_shell(command, *args);
	}
	if (buf_len(command) > COMMAND_MAX)
		return error_set(err,
		    "the command is longer than %u bytes; put it in a file "
		    "for -script",
		    COMMAND_MAX);
	buf_append(command, "", 1);
	plan->command = (const char *)buf_head(command);
	return 0;
}

static int
plan_env(struct plan *plan, const struct options *o, struct buf *env,
    struct error *err)
{
	const char *text, *p;
	size_t i;

	for (i = 0; i < o->env.count; i++) {
		text = o->env.values[i].text;
		for (p = text; isalnum((unsigned char)*p) || *p == '_'; p++)
			;
		if (*p != '=' || p == text || isdigit((unsigned char)text[0]))
			return error_set(
			    err, "-env \"%s\": not NAME=VALUE", text);
		if (buf_append(env, text, strlen(text) + 1) == -1)
			return error_set(
			    err, "-env: more than %u bytes", COMMAND_MAX);
	}
	plan->env = (struct bytes){buf_head(env), buf_len(env)};
	return 0;
}

/* --- main ---------------------------------------------------------------- */

/* Programs expect 0 to 2 to be open, or their files land there. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

static int
run(const struct options *o, char **args, struct error *err)
{
	struct plan plan = {.stdin_fd = -1};
	struct run_hosts hosts;
	struct buf command, env;
	int status = EXIT_USAGE;

	buf_init(&command, ARGUMENTS_MAX);
	buf_init(&env, COMMAND_MAX);
	if (run_hosts_load(&hosts, &o->run, err) == -1)
		goto out;
	if (o->run.list || o->run.list_folded) {
		status = run_hosts_list(&hosts, o->run.list_folded, err) == -1
		    ? EXIT_LOCAL
		    : 0;
		goto out;
	}
	if (plan_command(&plan, o, args, &command, err) == -1 ||
	    plan_env(&plan, o, &env, err) == -1 ||
	    run_plan_fill(&plan, &o->run, &hosts, err) == -1)
		goto out;
	status = control_run(&plan, err);
	if (status == -1)
		status = EXIT_LOCAL;
	else
		err->text[0] = '\0';
out:
	report_free(plan.report);
	host_keys_free(plan.host_keys);
	if (plan.stdin_fd != -1)
		close(plan.stdin_fd);
	run_hosts_clear(&hosts);
	buf_clear(&command);
	buf_clear(&env);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {.command = NULL};
	const struct rlimit no_core = {0, 0};
	struct error err = {""};
	const struct option_table tables[] = {
	    {command_rows, &o}, {run_option_rows, &o.run}, {NULL, NULL}};
	int operand, status;

	open_standard_descriptors();
	setrlimit(RLIMIT_CORE, &no_core); /* it would hold passwords */
	log_init("batch_run");
	run_options_init(&o.run);
	if (options_parse(tables, argc, argv, &operand, &err) == -1) {
		log_error("%s", err.text);
		fprintf(stderr, "See batch_run --help.\n");
		status = EXIT_USAGE;
	} else if (o.run.help) {
		usage(tables, stdout);
		status = 0;
	} else if (o.run.version) {
		version();
		status = 0;
	} else {
		log_set_quiet(o.run.quiet);
		status = run(&o, argv + operand, &err);
		if (err.text[0] != '\0')
			log_error("%s", err.text);
	}
	options_clear(tables);
	return status;
}
