/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/host_keys_reason.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/quote.h"
#include "util/xalloc.h"

/* A word for the user to paste into a shell; caller frees. */
static char *
shell_quote(const char *word)
{
	struct buf b;

	buf_init(&b, 4 * strlen(word) + 3);
	quote_shell_line(&b, word);
	return buf_take_string(&b);
}

/* Names and paths are the user's own, but a reason is one line. */
static char *
one_line(char *text)
{
	char *p;

	for (p = text; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	return text;
}

/* "ssh-keyscan -H -p 2222" */
static char *
keyscan_command(const struct presented *p, bool is_hashed)
{
	char port[16] = "";

	if (p->has_port)
		snprintf(port, sizeof(port), " -p %u", (unsigned int)p->port);
	return xasprintf("ssh-keyscan%s%s", is_hashed ? " -H" : "", port);
}

static char *
keyscan_hint(const struct presented *p, const char *path, bool is_hashed)
{
	char *host = shell_quote(p->host), *file = shell_quote(path);
	char *command = keyscan_command(p, is_hashed), *hint;

	hint = xasprintf("%s %s >> %s", command, host, file);
	free(command);
	free(host);
	free(file);
	return hint;
}

/* "FILE or 3 other files": where no key was found. */
static char *
searched_files(const char *path, size_t files)
{
	if (files > 1)
		return xasprintf("%s or %zu other file%s", path, files - 1,
		    files > 2 ? "s" : "");
	return xasprintf("%s%s", path,
	    access(path, F_OK) == -1 ? ", which does not exist" : "");
}

char *
reason_unknown(
    const struct presented *p, const char *path, size_t files, bool is_hashed)
{
	char *fingerprint = key_fingerprint(p->blob, p->blob_len);
	char *hint = keyscan_hint(p, path, is_hashed);
	char *searched = searched_files(path, files), *reason;

	reason = xasprintf("host key unknown: no %s key for %s in %s "
			   "(presented: %s); if you trust it, add it with %s "
			   "after checking the fingerprint, or use -host-key "
			   "accept-new",
	    key_type_label(p->type), p->name, searched, fingerprint, hint);
	free(fingerprint);
	free(hint);
	free(searched);
	return one_line(reason);
}

struct advice *
advice_unknown(
    const struct presented *p, const char *path, size_t files, bool is_hashed)
{
	struct advice *a = xcalloc(1, sizeof(*a));
	char *command = keyscan_command(p, is_hashed);
	char *searched = searched_files(path, files), port[32] = "";

	if (p->has_port)
		snprintf(
		    port, sizeof(port), " for port %u", (unsigned int)p->port);
	a->reason = one_line(
	    xasprintf("host key unknown: no key%s in %s", port, searched));
	a->text = one_line(xasprintf(
	    "if you trust them, check the fingerprints that this shows, then "
	    "append new_keys to %s; or use -host-key accept-new:",
	    path));
	a->command =
	    xasprintf("%s -f - > new_keys; ssh-keygen -lf new_keys", command);
	a->address = xstrdup(p->host);
	free(command);
	free(searched);
	return a;
}

/* ssh-keygen -R drops the whole line, so it is not for lines of many hosts. */
static char *
removal_hint(const struct known_line *line, const char *name)
{
	char *quoted, *file, *hint;

	if (line->kind == NAMES_PATTERN ||
	    (line->kind == NAMES_EXACT &&
		memchr(line->names, ',', line->names_len) != NULL))
		return xstrdup("correct that line");
	quoted = shell_quote(name);
	file = shell_quote(line->path);
	hint = xasprintf("ssh-keygen -R %s -f %s", quoted, file);
	free(quoted);
	free(file);
	return hint;
}

char *
reason_mismatch(const struct presented *p, const struct known_line *line)
{
	char *fingerprint = key_fingerprint(p->blob, p->blob_len);
	char *reason, *hint;

	if (line->type == p->type) {
		hint = removal_hint(line, p->name);
		reason = xasprintf("host key mismatch: %s:%zu holds another "
				   "%s key for %s (presented: %s); if the "
				   "change is expected: %s",
		    line->path, line->number, line->type->label, p->name,
		    fingerprint, hint);
	} else {
		hint = keyscan_hint(p, line->path, line->kind == NAMES_HASHED);
		reason = xasprintf("host key mismatch: %s:%zu knows %s by its "
				   "%s key, the host showed another type, %s "
				   "(%s); if that fingerprint is the host's, "
				   "add it with %s",
		    line->path, line->number, p->name, line->type->label,
		    key_type_label(p->type), fingerprint, hint);
	}
	free(fingerprint);
	free(hint);
	return one_line(reason);
}

char *
reason_revoked(
    const struct presented *p, const struct known_line *line, const char *name)
{
	char *fingerprint = key_fingerprint(p->blob, p->blob_len);
	char *reason;

	reason = xasprintf("host key revoked: %s:%zu revokes this %s key for "
			   "%s (presented: %s); it may be in wrong hands: "
			   "give the host a new key",
	    line->path, line->number, key_type_label(p->type), name,
	    fingerprint);
	free(fingerprint);
	return one_line(reason);
}

char *
reason_refused(const struct known_line *line, const char *name)
{
	return one_line(xasprintf("host key refused: %s:%zu is for %s and "
				  "starts with '@', but not with @revoked or "
				  "@cert-authority; correct that line",
	    line->path, line->number, name));
}
