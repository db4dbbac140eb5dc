/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * iniparser's traps, and how each is met here:
 *
 * - Lines end at 1,024 bytes, continuation lines counted in: an error.
 * - A value ends at ";" or "#" even inside a word or inside quotes that do
 *   not enclose the whole value: an error that says how to quote. After a
 *   blank it is a comment, as meant.
 * - What follows a closing quote is dropped, and a missing one is not
 *   noticed: errors.
 * - A backslash between quotes is kept by iniparser 4.1 and is an escape from
 *   4.2 on: an error, so that a password is the same everywhere.
 * - A comment that ends in a backslash takes the next line with it, and a
 *   comment behind a section's name makes the line no section: iniparser gets
 *   neither comment.
 * - "]" ends a section's name in 4.1, ":" hides it from iniparser's own
 *   functions: iniparser gets a number for the name.
 * - A key that comes again replaces the first silently: an error if the
 *   values differ.
 * - A line without "=" is a syntax error without a word on what to do.
 * - Loading is quadratic in entries (40,000: 330 ms): iniparser gets chunks
 *   of CHUNK_ENTRIES, each of which begins with its section.
 *
 * Lines are "logical" here: physical ones joined where a line ends in a
 * backslash, exactly as iniparser joins them. No message quotes a value.
 */
#include "config.h"

#include "inventory/ini_scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "util/xalloc.h"

#define LINE_MAX_BYTES 1022 /* what iniparser's 1,024 bytes leave */
#define CHUNK_ENTRIES  500

/* Where a key was first given, and what it was. */
struct first {
	size_t line;
	size_t value; /* where it begins in ini_scan.values */
	bool is_ticked;
};

struct ini_scan {
	char **sections;
	size_t section_count;
	/* "section\nkey" of all headers and keys, and in parallel their first
	 * lines. */
	struct hostset *keys;
	struct first *firsts;
	size_t ticked;
	size_t first_size;
	struct buf values;
	size_t *chunk_ends; /* in out */
	size_t chunk_count;
	/* While scanning: */
	struct buf *out;
	size_t entries; /* in the chunk so far */
	size_t line;	/* number of the logical line's first line */
	char text[LINE_MAX_BYTES + 1]; /* the logical line so far */
	size_t len;
};

static bool
is_blank(char c)
{
	return isspace((unsigned char)c) != 0;
}

static bool
is_comment(char c)
{
	return c == '#' || c == ';';
}

/* The length of s without the blanks at its end. */
static size_t
trimmed_length(const char *s, size_t len)
{
	while (len > 0 && is_blank(s[len - 1]))
		len--;
	return len;
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	}
}

static int
put(struct ini_scan *scan, const char *s, size_t len, struct error *err)
{
	if (buf_append(scan->out, s, len) == -1 ||
	    buf_append(scan->out, "\n", 1) == -1)
		return error_set(err, "the file is too large");
	return 0;
}

static void
end_chunk(struct ini_scan *scan)
{
	scan->chunk_ends = xreallocarray(
	    scan->chunk_ends, scan->chunk_count + 1, sizeof(*scan->chunk_ends));
	scan->chunk_ends[scan->chunk_count++] = buf_len(scan->out);
	scan->entries = 0;
}

/* "section\nkey" in lower case; the caller frees it. */
static char *
full_key(const char *section, const char *key)
{
	char *name = xconcat(section, "\n", key);

	lower(name);
	return name;
}

/* Note where the key that was just added stands. */
static int
add_first(struct ini_scan *scan, const char *value, struct error *err)
{
	size_t index = hostset_count(scan->keys) - 1;

	if (index >= scan->first_size) {
		scan->first_size = scan->first_size * 2 + 64;
		scan->firsts = xreallocarray(
		    scan->firsts, scan->first_size, sizeof(*scan->firsts));
	}
	scan->firsts[index] =
	    (struct first){.line = scan->line, .value = buf_len(&scan->values)};
	if (buf_append(&scan->values, value, strlen(value) + 1) == -1)
		return error_set(err, "the file is too large");
	return 0;
}

/*
 * Note on which line the key of this section is first; "" is its header. An
 * error if it was there before, with another value.
 */
static int
note_first(struct ini_scan *scan, const char *key, const char *value,
    struct error *err)
{
	const char *section = scan->sections[scan->section_count - 1], *before;
	char *name = full_key(section, key);
	const struct first *first;
	int added = hostset_add(scan->keys, name, err), rc = 0;

	if (added == -1) {
		rc = error_set(err, "too many entries");
	} else if (added == 1) {
		rc = add_first(scan, value, err);
	} else {
		first = &scan->firsts[hostset_find(scan->keys, name)];
		before = (const char *)buf_head(&scan->values) + first->value;
		if (strcmp(before, value) != 0)
			rc = error_set(err,
			    "\"%.100s\" is in [%.100s] already, on line %zu, "
			    "with another value",
			    key, section, first->line);
	}
	free(name);
	return rc;
}

/* The header of the section that we are in. */
static int
put_section(struct ini_scan *scan, struct error *err)
{
	char number[32];
	int len =
	    snprintf(number, sizeof(number), "[%zu]", scan->section_count - 1);

	return put(scan, number, (size_t)len, err);
}

/* --- sections ----------------------------------------------------------- */

/* The "]" that ends the name; those of a range in the name are inside. */
static const char *
find_closing(const char *s)
{
	int depth = 0;

	for (; *s != '\0'; s++) {
		if (*s == '[')
			depth++;
		else if (*s == ']' && --depth == 0)
			return s;
	}
	return NULL;
}

static int
scan_section(struct ini_scan *scan, const char *s, struct error *err)
{
	const char *end = find_closing(s), *rest;
	char *name;

	if (end == NULL)
		return error_set(err, "no \"]\" after the section's name");
	for (rest = end + 1; is_blank(*rest); rest++)
		continue;
	if (*rest != '\0' && !is_comment(*rest))
		return error_set(err,
		    "text after the section's name (an "
		    "IPv6 address of a member is written "
		    "without brackets)");
	for (s++; is_blank(*s); s++)
		continue;
	name = xstrndup(s, trimmed_length(s, (size_t)(end - s)));
	lower(name);
	scan->sections = xreallocarray(
	    scan->sections, scan->section_count + 1, sizeof(*scan->sections));
	scan->sections[scan->section_count++] = name;
	if (name[0] == '\0')
		return error_set(err, "a section without a name");
	if (note_first(scan, "", "", err) == -1)
		return -1;
	return put_section(scan, err);
}

/* --- keys and values ---------------------------------------------------- */

/* Both checks set len to the length of the value without its comment. */
static int
check_quoted(const char *value, size_t *len, struct error *err)
{
	const char *end = strchr(value + 1, value[0]), *s;

	if (end == NULL)
		return error_set(err, "the value's quote is not closed");
	if (memchr(value, '\\', (size_t)(end - value)) != NULL)
		return error_set(err,
		    "a backslash between quotes means different things to "
		    "different versions of iniparser; omit the quotes");
	for (s = end + 1; is_blank(*s); s++)
		continue;
	if (*s != '\0' && !is_comment(*s))
		return error_set(err,
		    "text after the closing quote; quote the whole value, "
		    "with the other kind of quotes inside");
	*len = (size_t)(end + 1 - value);
	return 0;
}

static int
check_unquoted(const char *value, size_t *len, struct error *err)
{
	const char *s;
	char quote = '\0';

	for (s = value; *s != '\0'; s++) {
		if (quote != '\0' && *s == quote)
			quote = '\0';
		else if ((*s == '"' || *s == '\'') && s > value &&
		    s[-1] == '=' && strchr(s + 1, *s) != NULL)
			quote = *s;
		if (!is_comment(*s))
			continue;
		if (s == value || (quote == '\0' && is_blank(s[-1])))
			break;
		return error_set(err,
		    "the value would be cut at \"%c\"; quote the whole "
		    "value, e.g. key = \"a%cb\" or host = \"password='a%cb'\"",
		    *s, *s, *s);
	}
	*len = trimmed_length(value, (size_t)(s - value));
	return 0;
}

/*
 * The line is quoted if it looks like a member of a group; elsewhere it may be
 * a piece of a password.
 */
static int
no_equals_sign(const struct ini_scan *scan, const char *line, size_t len,
    struct error *err)
{
	const char *section = "defaults";
	size_t i;

	if (scan->section_count > 0)
		section = scan->sections[scan->section_count - 1];
	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)line[i]) &&
		    strchr("*@._-[],", line[i]) == NULL)
			break;
	}
	if (i < len || len > 64 || strcmp(section, "defaults") == 0 ||
	    strncmp(section, "host ", 5) == 0)
		return error_set(err, "no \"=\" in the line");
	return error_set(err,
	    "no \"=\"; a name without a value is written \"%.*s =\"", (int)len,
	    line);
}

static int
scan_entry(struct ini_scan *scan, char *line, struct error *err)
{
	char *equals = strchr(line, '='), *value;
	size_t len = strcspn(line, "=;#"), value_len = 0;
	int rc;

	if (equals == NULL || line + len != equals)
		return no_equals_sign(
		    scan, line, trimmed_length(line, len), err);
	if (scan->section_count == 0)
		return error_set(err, "an entry before the first [section]");
	len = trimmed_length(line, len);
	if (len == 0)
		return error_set(err, "nothing before \"=\"");
	for (value = equals + 1; is_blank(*value); value++)
		continue;
	if (value[0] == '"' || value[0] == '\'')
		rc = check_quoted(value, &value_len, err);
	else
		rc = check_unquoted(value, &value_len, err);
	if (rc == -1)
		return -1;
	line[len] = '\0';
	value[value_len] = '\0';
	return note_first(scan, line, value, err);
}

/* --- lines -------------------------------------------------------------- */

/* The logical line is complete. */
static int
end_line(struct ini_scan *scan, bool is_joined, struct error *err)
{
	char *s = scan->text;

	scan->text[scan->len] = '\0';
	while (is_blank(*s))
		s++;
	scan->len = 0;
	if (*s == '\0')
		return 0;
	if (*s != '[')
		return scan_entry(scan, s, err);
	if (is_joined)
		return error_set(err, "a section's name can't be continued");
	return scan_section(scan, s, err);
}

/* The next line put out begins an entry; in a new chunk if this is full. */
static int
begin_entry(struct ini_scan *scan, struct error *err)
{
	if (scan->entries++ < CHUNK_ENTRIES || scan->section_count == 0)
		return 0;
	end_chunk(scan);
	scan->entries = 1;
	return put_section(scan, err);
}

/*
 * One physical line, without its newline. It is put out as it is unless it
 * is blank, a comment or a section.
 */
static int
scan_line(struct ini_scan *scan, const char *line, size_t len, bool *is_joined,
    struct error *err)
{
	size_t blanks = 0;

	len = trimmed_length(line, len);
	while (blanks < len && is_blank(line[blanks]))
		blanks++;
	if (!*is_joined && (blanks == len || is_comment(line[blanks])))
		return put(scan, "", 0, err);
	if (len > LINE_MAX_BYTES - scan->len)
		return error_set(err,
		    "longer than %d bytes, which is "
		    "iniparser's limit (continuation lines "
		    "count together)",
		    LINE_MAX_BYTES);
	memcpy(scan->text + scan->len, line, len);
	scan->len += len;
	if (!*is_joined && line[blanks] != '[' && begin_entry(scan, err) == -1)
		return -1;
	if ((*is_joined || line[blanks] != '[') &&
	    put(scan, line, len, err) == -1)
		return -1;
	scan->len = trimmed_length(scan->text, scan->len);
	if (scan->len > 0 && scan->text[scan->len - 1] == '\\') {
		scan->len--;
		*is_joined = true;
		return 0;
	}
	if (end_line(scan, *is_joined, err) == -1)
		return -1;
	*is_joined = false;
	return 0;
}

static int
scan_lines(
    struct ini_scan *scan, const char *text, size_t len, struct error *err)
{
	const char *end = text + len, *newline;
	bool is_joined = false;
	size_t line = 0;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* a byte order mark */
	for (; text < end; text = newline + 1) {
		line++;
		if (!is_joined)
			scan->line = line;
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		if (memchr(text, '\0', (size_t)(newline - text)) != NULL)
			return error_set(err, "a NUL byte");
		if (scan_line(scan, text, (size_t)(newline - text), &is_joined,
			err) == -1)
			return -1;
	}
	if (is_joined)
		return error_set(err, "the last line ends in a backslash");
	return 0;
}

struct ini_scan *
ini_scan_new(const char *path, const char *text, size_t len, struct buf *out,
    struct error *err)
{
	struct ini_scan *scan = xcalloc(1, sizeof(*scan));
	struct error why;

	scan->keys = hostset_new();
	scan->out = out;
	buf_init(&scan->values, len);
	if (scan_lines(scan, text, len, &why) == -1) {
		error_set(err, "%s:%zu: %s", path, scan->line, why.text);
		ini_scan_free(scan);
		return NULL;
	}
	end_chunk(scan);
	return scan;
}

void
ini_scan_free(struct ini_scan *scan)
{
	size_t i;

	if (scan == NULL)
		return;
	for (i = 0; i < scan->section_count; i++)
		free(scan->sections[i]);
	free(scan->sections);
	free(scan->chunk_ends);
	buf_clear(&scan->values);
	free(scan->firsts);
	hostset_free(scan->keys);
	explicit_bzero(scan, sizeof(*scan));
	free(scan);
}

const char *
ini_scan_section(const struct ini_scan *scan, size_t number)
{
	return number < scan->section_count ? scan->sections[number] : NULL;
}

static struct first *
find_first(const struct ini_scan *scan, const char *section, const char *key)
{
	char *name = full_key(section, key);
	size_t index = hostset_find(scan->keys, name);

	free(name);
	return index != SIZE_MAX ? &scan->firsts[index] : NULL;
}

size_t
ini_scan_line(const struct ini_scan *scan, const char *section, const char *key)
{
	const struct first *first = find_first(scan, section, key);

	return first != NULL ? first->line : 0;
}

void
ini_scan_tick(struct ini_scan *scan, const char *section, const char *key)
{
	struct first *first = find_first(scan, section, key);

	if (first == NULL || first->is_ticked)
		return;
	first->is_ticked = true;
	scan->ticked++;
}

bool
ini_scan_has_all_ticked(const struct ini_scan *scan)
{
	return scan->ticked == hostset_count(scan->keys);
}

size_t
ini_scan_chunk(const struct ini_scan *scan, size_t number)
{
	if (number >= scan->chunk_count)
		return 0;
	return scan->chunk_ends[number] -
	    (number > 0 ? scan->chunk_ends[number - 1] : 0);
}
