/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch_run: run a command on many hosts. See batch_run(1). */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/program.h"
#include "cli/run_options.h"
#include "control/input.h"
#include "util/fdio.h"
#include "util/path.h"
#include "util/quote.h"

/* libssh2 sends no packet over 35,000 bytes, RFC 4253 section 6.1. */
#define COMMAND_MAX 32000u
/* What execve(2) may have handed us, quoted. */
#define ARGUMENTS_MAX (64u << 20)

struct options {
	struct run_options run;
	const char *command, *script, *input;
	struct option_list env;
	/* what the plan points to */
	int input_fd;
	struct buf command_line, env_strings;
};

#define AT(member) offsetof(struct options, member)

static int
check_env(const char *text, struct error *err)
{
	const char *p = text;

	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (*p != '=' || p == text || isdigit((unsigned char)text[0]))
		return error_set(err, "\"%.40s\" is not NAME=VALUE", text);
	return 0;
}

static const struct option_row command_rows[] = {
    {"cmd", "COMMAND", OPTION_STRING, AT(command),
	"a command line for the remote shell", "What to run",
	.is_call_only = true, .is_common = true},
    {"script", "FILE", OPTION_STRING, AT(script),
	"a local script; arguments follow --", .is_call_only = true,
	.is_common = true},
    {"stdin", "FILE", OPTION_STRING, AT(input),
	"what every command reads; - is stdin", .is_call_only = true},
    {"env", "NAME=VALUE", OPTION_LIST, AT(env),
	"set a variable for the command", .check = check_env},
    {NULL},
};

static const struct option_row limit_rows[] = {
    {"timeout", "TIME", OPTION_SETTING, AT(run.timeout),
	"of the command (default none)", .tag = SETTING_TIMEOUT,
	.unset = "(none)", .is_common = true},
    {"idle-timeout", "TIME", OPTION_DURATION, AT(run.idle_timeout_ms),
	"of silence (default none)"},
    {NULL},
};

static const struct option_row exit_rows[] = {
    {"S", NULL, OPTION_FLAG, AT(run.largest_exit),
	"exit with the largest remote exit status"},
    {NULL},
};

/* --- the command --------------------------------------------------------- */

static bool
is_shell(const char *interpreter)
{
	static const char *const shells[] = {
	    "sh", "bash", "dash", "ksh", "mksh", "zsh", "ash"};
	const char *base = path_base(interpreter);
	size_t i, len;

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

/* What may go with what. */
static int
check_command(const struct options *o, char **args, struct error *err)
{
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
	return 0;
}

/* Fill in what the command reads. Returns 0, or -1 with err. */
static int
plan_input(struct plan *plan, struct options *o, struct error *err)
{
	const char *input = o->script != NULL ? o->script : o->input;
	struct error why;
	struct stat st;

	if (input == NULL)
		return 0;
	o->input_fd = input_open(input, &plan->config.input_bytes, &why);
	if (o->input_fd == -1)
		return error_option(
		    err, o->script != NULL ? "script" : "stdin", why.text);
	plan->input_fd = o->input_fd;
	plan->config.has_input = 1;
	o->run.needs_input = strcmp(input, "-") == 0 ||
	    stat(input, &st) == -1 || !S_ISREG(st.st_mode);
	return 0;
}

/* What was typed; of -env nothing, whose values may be secrets. */
static void
tell_task(struct options *o, char **args)
{
	struct buf *task = &o->run.task;

	if (o->command != NULL)
		buf_puts(task, o->command);
	else
		buf_puts(task, path_base(o->script));
	for (; *args != NULL; args++) {
		buf_puts(task, " ");
		quote_shell_line(task, *args);
	}
	buf_append(task, "", 1);
}

/* Fill in what runs and what it reads. Returns 0, or -1 with err. */
static int
plan_command(
    struct plan *plan, struct options *o, char **args, struct error *err)
{
	struct buf *command = &o->command_line;

	if (check_command(o, args, err) == -1 || plan_input(plan, o, err) == -1)
		return -1;
	tell_task(o, args);
	if (o->script != NULL)
		script_interpreter(plan->input_fd, command);
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
	plan->config.command = (const char *)buf_head(command);
	return 0;
}

static int
plan_env(struct plan *plan, struct options *o, struct error *err)
{
	struct buf *env = &o->env_strings;
	const char *text;
	size_t i;

	for (i = 0; i < o->env.count; i++) {
		text = o->env.values[i].text;
		if (buf_append(env, text, strlen(text) + 1) == -1)
			return error_set(
			    err, "-env: more than %u bytes", COMMAND_MAX);
	}
	plan->config.env = (struct bytes){buf_head(env), buf_len(env)};
	return 0;
}

/* --- main ---------------------------------------------------------------- */

static int
plan_run(void *ctx, struct plan *plan, const struct run_hosts *hosts,
    char **operands, struct error *err)
{
	struct options *o = ctx;

	(void)hosts;
	plan->config.task = TASK_EXEC;
	if (plan_command(plan, o, operands, err) == -1)
		return -1;
	return plan_env(plan, o, err);
}

int
main(int argc, char **argv)
{
	struct options o = {.input_fd = -1};
	const struct option_table tables[] = {{command_rows, &o},
	    {run_option_rows, &o.run}, {limit_rows, &o},
	    {run_rolling_rows, &o.run}, {run_output_rows, &o.run},
	    {exit_rows, &o}, {run_general_rows, &o.run}, {NULL, NULL}};
	const struct program program = {.name = "batch_run",
	    .usage = "usage: batch_run -h HOSTS | -g GROUPS  -cmd COMMAND "
		     "[options]\n"
		     "       batch_run -g GROUPS -script FILE [options] [-- "
		     "ARG...]\n"
		     "       batch_run -g GROUPS -list\n",
	    .epilog =
		"Exit status: 0 all ok, 1 a command failed, 2 usage, 3 "
		"unreachable/timeout/lost/\nskipped, 4 host key or login, "
		"5 local error, 130 Ctrl-C, 141 stdout gone.\n"
		"See batch_run(1), batch.conf(5).\n",
	    .tables = tables,
	    .options = &o.run,
	    .plan = plan_run,
	    .ctx = &o};
	int status;

	buf_init(&o.command_line, ARGUMENTS_MAX);
	buf_init(&o.env_strings, COMMAND_MAX);
	run_options_init(&o.run);
	status = program_run(&program, argc, argv);
	buf_clear(&o.command_line);
	buf_clear(&o.env_strings);
	fd_close(&o.input_fd);
	return status;
}
