/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch_scp: move files to or from many hosts. See batch_scp(1). */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/program.h"
#include "cli/run_options.h"
#include "cli/run_words.h"
#include "cli/template.h"
#include "control/manifest.h"
#include "util/dirs.h"
#include "util/fdio.h"
#include "util/path.h"
#include "util/run_token.h"
#include "util/xalloc.h"

/* A server that answers no more must not hold the run for ever. */
#define IDLE_TIMEOUT_MS	  120000u
#define MAX_BYTES_DEFAULT (UINT64_C(100) << 30)
#define MAX_FILES_DEFAULT 1000000u
/* They go to every worker, in one frame with the rest. */
#define SOURCES_MAX (1u << 20)

enum action { ACTION_PUT, ACTION_GET, ACTION_NONE };

struct options {
	struct run_options run;
	unsigned action; /* enum action */
	struct option_list locals, remotes;
	const char *mode, *backup;
	bool preserve, follow, update, checksum, verify, resume, mkdir;
	bool dry_run;
	uint64_t rate_limit;
	uint64_t max_bytes;
	uint32_t max_files;
	/* what the plan points to */
	struct manifest manifest;
	struct buf sources;
	size_t made; /* how much of the local directory, see util/dirs.h */
	const char *local;
	char *local_base;
	char **local_paths;
	uint32_t host_count; /* of local_paths */
	char *token;
};

#define AT(member) offsetof(struct options, member)

static int
check_mode(const char *text, struct error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > 4 || strspn(text, "01234567") != len)
		return error_set(
		    err, "\"%.40s\" is not a mode (like 644 or 0755)", text);
	return 0;
}

static int
check_backup(const char *text, struct error *err)
{
	if (text[0] == '\0' || strchr(text, '/') != NULL)
		return error_set(
		    err, "\"%.40s\" is not the end of a file's name", text);
	return 0;
}

static int
check_remote(const char *text, struct error *err)
{
	if (text[0] == '\0')
		return error_set(err, "the path is empty");
	if (text[0] == '~' && text[1] != '\0' && text[1] != '/')
		return error_set(err,
		    "\"%s\": only the login user's ~ is known; a name that "
		    "starts so is ./~",
		    text);
	return 0;
}

static const struct option_row transfer_rows[] = {
    {"action", "put|get", OPTION_WORD, AT(action),
	"send files to the hosts, or fetch some", "What to move",
	.words = "put|get", .is_call_only = true, .is_common = true},
    {"local", "FILE...", OPTION_LIST, AT(locals),
	"what to send; get: where, or logs/%h", .takes_more = true,
	.is_call_only = true, .is_common = true},
    {"remote", "PATH", OPTION_LIST, AT(remotes),
	"put: where to; get: files, trees, globs", .check = check_remote,
	.is_call_only = true, .is_common = true},
    {"mode", "OCTAL", OPTION_STRING, AT(mode),
	"mode of the files, not that of their source", .check = check_mode},
    {"preserve", NULL, OPTION_FLAG, AT(preserve), "keep times"},
    {"follow", NULL, OPTION_FLAG, AT(follow),
	"transfer what symlinks point to, not the links"},
    {"update", NULL, OPTION_FLAG, AT(update),
	"skip files of equal size and time; keeps times"},
    {"checksum", NULL, OPTION_FLAG, AT(checksum),
	"skip files of equal content"},
    {"verify", NULL, OPTION_FLAG, AT(verify),
	"compare contents (SHA-256) afterwards"},
    {"resume", NULL, OPTION_FLAG, AT(resume),
	"go on where a transfer broke off; keep parts"},
    {"backup", "SUFFIX", OPTION_STRING, AT(backup),
	"keep what is replaced under NAME and SUFFIX", .check = check_backup},
    {"mkdir", NULL, OPTION_FLAG, AT(mkdir),
	"put: make the directory, with its parents"},
    {"dry-run", NULL, OPTION_FLAG, AT(dry_run),
	"connect, and tell what would go where", .is_common = true},
    {NULL},
};

static const struct option_row limit_rows[] = {
    {"timeout", "TIME", OPTION_SETTING, AT(run.timeout),
	"of a host's transfer (default none)", .tag = SETTING_TIMEOUT,
	.unset = "(none)", .is_common = true},
    {"idle-timeout", "TIME", OPTION_DURATION, AT(run.idle_timeout_ms),
	"of silence (default 2m; 0: none)"},
    {"limit", "RATE", OPTION_SIZE, AT(rate_limit),
	"bytes a second over all hosts: 500k, 10M", .least = 1024,
	.unset = "(no limit)"},
    {"max-size", "SIZE", OPTION_SIZE, AT(max_bytes),
	"get: bytes a host may send (default 100G)", .least = 1},
    {"max-files", "N", OPTION_NUMBER, AT(max_files),
	"get: files a host may send (default 1000000)", NULL, 1, UINT32_MAX},
    {NULL},
};

/* --- both ---------------------------------------------------------------- */

/* An option that only the other action has. */
static int
check_action(const struct options *o, struct error *err)
{
	static const char wrong[] = "option -%s belongs to -action %s";

	if (o->action == ACTION_NONE)
		return error_set(
		    err, "nothing to do: give -action put or -action get");
	if (o->action == ACTION_GET && o->mkdir &&
	    run_option_is_typed(&o->run, &o->mkdir))
		return error_set(err, wrong, "mkdir", "put");
	if (o->action == ACTION_PUT &&
	    run_option_is_typed(&o->run, &o->max_bytes))
		return error_set(err, wrong, "max-size", "get");
	if (o->action == ACTION_PUT &&
	    run_option_is_typed(&o->run, &o->max_files))
		return error_set(err, wrong, "max-files", "get");
	if (o->update && o->checksum)
		return error_set(
		    err, "-update and -checksum exclude each other");
	return 0;
}

/*
 * A path that a server can be asked for. Relative ones start in the login
 * directory, so "~/" is nothing more than a way to say so.
 */
static const char *
remote_path(const char *text)
{
	if (text[0] != '~')
		return text;
	if (text[1] == '\0')
		return ".";
	text += 1 + strspn(text + 1, "/");
	return text[0] != '\0' ? text : "./";
}

static uint32_t
transfer_flags(const struct options *o)
{
	uint32_t flags = 0;

	/* Files of other times than ours would never be up to date. */
	flags |= o->preserve || o->update ? TRANSFER_PRESERVE : 0;
	flags |= o->follow ? TRANSFER_FOLLOW : 0;
	flags |= o->update ? TRANSFER_UPDATE : 0;
	flags |= o->checksum ? TRANSFER_CHECKSUM : 0;
	flags |= o->verify ? TRANSFER_VERIFY : 0;
	flags |= o->resume ? TRANSFER_RESUME : 0;
	flags |= o->mkdir && o->action == ACTION_PUT ? TRANSFER_MKDIR : 0;
	flags |= o->dry_run ? TRANSFER_DRY_RUN : 0;
	return flags;
}

/* "put site app.conf to /srv/" */
static void
tell_task(struct options *o)
{
	bool is_put = o->action == ACTION_PUT;
	struct buf *task = &o->run.task;

	buf_puts(task, is_put ? "put" : "get");
	run_words_list(task, is_put ? &o->locals : &o->remotes);
	buf_puts(task, " to");
	run_words_list(task, is_put ? &o->remotes : &o->locals);
	if (!is_put && o->locals.count == 0)
		buf_puts(task, " .");
	buf_append(task, "", 1);
}

/* What put and get have in common. */
static void
plan_transfer(struct plan *plan, struct options *o)
{
	struct msg_config *config = &plan->config;

	config->file_mode = o->mode != NULL
	    ? (uint32_t)strtoul(o->mode, NULL, 8)
	    : FILE_MODE_KEEP;
	o->token = run_token_make();
	config->token = o->token;
	config->backup_suffix = o->backup;
	config->transfer_flags = transfer_flags(o);
	plan->rate_limit = o->rate_limit;
}

/* --- put ----------------------------------------------------------------- */

static int
plan_manifest(struct options *o, struct error *err)
{
	const struct manifest_options options = {.follow = o->follow,
	    .has_hash = o->verify || o->checksum,
	    .has_sandbox = o->run.sandbox == SANDBOX_ON};
	const char **locals = xcalloc(o->locals.count, sizeof(*locals));
	size_t i;
	int rc;

	for (i = 0; i < o->locals.count; i++)
		locals[i] = o->locals.values[i].text;
	rc = manifest_build(
	    &o->manifest, locals, o->locals.count, &options, err);
	free(locals);
	return rc;
}

static int
plan_put(struct plan *plan, struct options *o, struct error *err)
{
	struct msg_config *config = &plan->config;
	const struct manifest *m = &o->manifest;

	if (o->locals.count == 0)
		return error_set(err, "nothing to send: give -local");
	if (o->remotes.count != 1)
		return error_set(
		    err, "-action put sends to one place: give -remote once");
	config->destination = remote_path(o->remotes.values[0].text);
	if (plan_manifest(o, err) == -1)
		return -1;
	config->task = TASK_PUT;
	plan->input_fd = m->fd;
	config->has_input = 1;
	config->input_bytes = m->length;
	config->total_files = m->files;
	config->total_bytes = m->bytes;
	config->left_out = m->left_out;
	config->left_out_why = m->left_out_why;
	config->local = (struct bytes){buf_head(&m->trees), buf_len(&m->trees)};
	if (m->is_into)
		config->transfer_flags |= TRANSFER_INTO;
	if (m->is_root)
		config->transfer_flags |= TRANSFER_ROOT;
	return 0;
}

/* --- get ----------------------------------------------------------------- */

static bool
has_parent(const char *path)
{
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
	}
	return false;
}

static int
plan_sources(struct options *o, struct error *err)
{
	const char *path;
	size_t i;

	if (o->remotes.count == 0)
		return error_set(err, "nothing to fetch: give -remote");
	for (i = 0; i < o->remotes.count; i++) {
		path = remote_path(o->remotes.values[i].text);
		if (has_parent(path))
			return error_set(err,
			    "-remote \"%s\": a path to get must not hold "
			    "\"..\"",
			    path);
		if (buf_append(&o->sources, path, strlen(path) + 1) == -1)
			return error_set(
			    err, "-remote: more than %u bytes", SOURCES_MAX);
	}
	return 0;
}

/* A source that a template gives a name to: its last component. */
struct named {
	const char *path, *name;
	size_t len; /* of name */
};

static int
named_compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	if (order != 0)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* Returns false for a glob, and for what goes to no place of its own. */
static bool
named_fill(struct named *named, const char *path)
{
	named->path = path;
	named->name = path_base(path);
	named->len = strlen(named->name);
	return named->len > 0 && strcmp(named->name, ".") != 0 &&
	    strpbrk(path, "*?[") == NULL;
}

/* With a template the last of two sources of one name would stay. */
static int
check_source_names(const struct options *o, struct error *err)
{
	const char *path = (const char *)buf_head(&o->sources);
	const char *end = path + buf_len(&o->sources);
	struct named *named = xcalloc(o->remotes.count, sizeof(*named)), *n;
	size_t count = 0;
	int rc = 0;

	for (; path < end; path += strlen(path) + 1)
		count += named_fill(&named[count], path);
	qsort(named, count, sizeof(*named), named_compare);
	for (n = named + 1; rc == 0 && n < named + count; n++) {
		if (named_compare(n - 1, n) == 0 &&
		    strcmp(n[-1].path, n->path) != 0)
			rc = error_set(err,
			    "-remote \"%s\" and \"%s\" would both go to the "
			    "same file of -local \"%s\"",
			    n[-1].path, n->path, o->locals.values[0].text);
	}
	free(named);
	return rc;
}

/* Split a template: what is the user's own, and each host's below it. */
static int
plan_template(struct plan *plan, struct options *o, const struct host *hosts,
    uint32_t count, struct error *err)
{
	const char *text = o->locals.values[0].text;

	if (check_source_names(o, err) == -1)
		return -1;
	o->local_paths = template_expand(text, hosts, count, err);
	if (o->local_paths == NULL)
		return -1;
	o->host_count = count;
	o->local_base = template_base(text);
	plan->local = o->local_base;
	plan->local_paths = o->local_paths;
	plan->config.transfer_flags |= TRANSFER_NAMED;
	return 0;
}

/*
 * A worker can write below what is there when it begins, so the directory is
 * made now. That it can't be made is for each host to tell.
 */
static void
plan_local(struct plan *plan, struct options *o)
{
	o->local = plan->local;
	plan->config.local = (struct bytes){
	    (const uint8_t *)plan->local, strlen(plan->local) + 1};
	if (!o->dry_run)
		(void)dirs_make(o->local, &o->made);
}

static int
plan_get(struct plan *plan, struct options *o, const struct host *hosts,
    uint32_t count, struct error *err)
{
	struct msg_config *config = &plan->config;

	if (plan_sources(o, err) == -1)
		return -1;
	if (o->locals.count > 1)
		return error_set(err,
		    "-action get writes to one place: -local \"%s\" is one "
		    "too many",
		    o->locals.values[1].text);
	plan->local = o->locals.count == 1 ? o->locals.values[0].text : ".";
	if (template_check_names(hosts, count, err) == -1)
		return -1;
	if (template_is(plan->local) &&
	    plan_template(plan, o, hosts, count, err) == -1)
		return -1;
	config->task = TASK_GET;
	config->sources =
	    (struct bytes){buf_head(&o->sources), buf_len(&o->sources)};
	config->max_bytes = o->max_bytes;
	config->max_files = o->max_files;
	plan_local(plan, o);
	/* Workers may write there, and not where others' files are, too. */
	plan->has_temporary = true;
	return 0;
}

/* --- main ---------------------------------------------------------------- */

static int
plan_fill(void *ctx, struct plan *plan, const struct run_hosts *hosts,
    char **operands, struct error *err)
{
	struct options *o = ctx;

	if (operands[0] != NULL)
		return error_set(err,
		    "unexpected argument \"%s\": what to transfer goes with "
		    "-local and -remote",
		    operands[0]);
	if (check_action(o, err) == -1)
		return -1;
	plan_transfer(plan, o);
	tell_task(o);
	if (o->action == ACTION_PUT)
		return plan_put(plan, o, err);
	return plan_get(
	    plan, o, hosts->hosts, (uint32_t)hostset_count(hosts->names), err);
}

int
main(int argc, char **argv)
{
	struct options o = {.action = ACTION_NONE,
	    .local = "",
	    .max_bytes = MAX_BYTES_DEFAULT,
	    .max_files = MAX_FILES_DEFAULT,
	    .manifest = {.fd = -1}};
	const struct option_table tables[] = {{transfer_rows, &o},
	    {run_option_rows, &o.run}, {limit_rows, &o},
	    {run_rolling_rows, &o.run}, {run_output_rows, &o.run},
	    {run_general_rows, &o.run}, {NULL, NULL}};
	const struct program program = {.name = "batch_scp",
	    .usage =
		"usage: batch_scp -h HOSTS | -g GROUPS  -action put -local "
		"FILE... -remote PATH\n"
		"       batch_scp -h HOSTS | -g GROUPS  -action get -remote "
		"PATH [-local DIR]\n",
	    .epilog =
		"Exit status: 0 all ok, 2 usage, 3 unreachable/timeout/lost/"
		"transfer/skipped,\n4 host key or login, 5 local error, 130 "
		"Ctrl-C, 141 stdout gone; batch_scp(1)\n",
	    .tables = tables,
	    .options = &o.run,
	    .plan = plan_fill,
	    .ctx = &o};
	int status;

	buf_init(&o.sources, SOURCES_MAX);
	run_options_init(&o.run);
	o.run.idle_timeout_ms = IDLE_TIMEOUT_MS;
	status = program_run(&program, argc, argv);
	/* Nothing may have come to be put there. */
	dirs_drop(o.local, o.made);
	manifest_clear(&o.manifest);
	buf_clear(&o.sources);
	free(o.local_base);
	template_free(o.local_paths, o.host_count);
	free(o.token);
	return status;
}
