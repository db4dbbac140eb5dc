/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line goes from one buffer to the other, once a pattern. The default
 * patterns ask for more than an expression can say: no letter, digit or colon
 * next to a time, or parts of addresses would look like one.
 */
#include "config.h"

#include "report/normalize.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inventory/address.h"
#include "report/regex_size.h"
#include "util/log.h"
#include "util/xalloc.h"

#define BLANK '\0'

/* Words of dates, in English as programs write them everywhere. */
#define YEAR   "(19|20)[0-9][0-9]"
#define MONTH2 "(0[1-9]|1[0-2])"
#define DAY2   "(0[1-9]|[12][0-9]|3[01])"
#define DAY    "(0?[1-9]|[12][0-9]|3[01])"
#define MONTH                                                        \
	"(Jan(uary)?|Feb(ruary)?|Mar(ch)?|Apr(il)?|May|June?|July?|" \
	"Aug(ust)?|Sep(tember)?|Oct(ober)?|Nov(ember)?|Dec(ember)?)"
#define WEEKDAY "((Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? +)?"
#define CLOCK                                                      \
	"([01][0-9]|2[0-3]):[0-5][0-9](:[0-6][0-9]([.,][0-9]+)?)?" \
	"(Z| ?[AaPp][Mm])?"

static const char times[] = YEAR
    "-" MONTH2 "-" DAY2 "([T ]" CLOCK ")?"
    "|" YEAR "/" MONTH2 "/" DAY2 "|(" DAY2 "[./]" MONTH2 "|" MONTH2 "/" DAY2
    ")[./]" YEAR "|" WEEKDAY DAY "[ /-]" MONTH "([ /-]" YEAR ")?(:" CLOCK ")?"
    "|" WEEKDAY MONTH " +" DAY "(,? " YEAR ")?"
    "|" CLOCK;

struct normalizer {
	regex_t *patterns;
	size_t count;
	bool has_defaults;
	regex_t times;
	char *names[2]; /* of the host, longest first; NULL: no such */
	uint8_t room[2][NORMALIZE_LINE_MAX + 1];
	uint8_t *line, *next; /* what it is, and what it will be */
	size_t len;
};

/* --- set-up -------------------------------------------------------------- */

/* Returns 0, or -1 with err. */
static int
normalizer_add(struct normalizer *n, const char *pattern, struct error *err)
{
	regex_t *regex = &n->patterns[n->count];
	char why[256];
	int rc;

	if (pattern[0] == '\0') {
		n->has_defaults = false;
		return 0;
	}
	if (regex_size(pattern) > REGEX_SIZE_MAX)
		return error_set(err,
		    "\"%.200s\": too long, with its repetitions, and would "
		    "take too much memory",
		    pattern);
	rc = regcomp(regex, pattern, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, regex, why, sizeof(why));
		return error_set(err, "\"%.200s\": %s", pattern, why);
	}
	n->count++;
	return 0;
}

struct normalizer *
normalizer_new(const char *const *patterns, size_t count, struct error *err)
{
	struct normalizer *n = xcalloc(1, sizeof(*n));
	size_t i;

	if (regcomp(&n->times, times, REG_EXTENDED) != 0)
		fatal("out of memory (regular expression)");
	n->has_defaults = true;
	n->line = n->room[0];
	n->next = n->room[1];
	n->patterns = xcalloc(count, sizeof(*n->patterns));
	for (i = 0; i < count; i++) {
		if (normalizer_add(n, patterns[i], err) == -1) {
			normalizer_free(n);
			return NULL;
		}
	}
	return n;
}

static void
names_clear(struct normalizer *n)
{
	free(n->names[0]);
	free(n->names[1]);
	n->names[0] = n->names[1] = NULL;
}

void
normalizer_free(struct normalizer *n)
{
	size_t i;

	if (n == NULL)
		return;
	for (i = 0; i < n->count; i++)
		regfree(&n->patterns[i]);
	free(n->patterns);
	regfree(&n->times);
	names_clear(n);
	free(n);
}

static bool
is_address(const char *host)
{
	return strchr(host, ':') != NULL ||
	    host[strspn(host, "0123456789.")] == '\0';
}

void
normalizer_set_host(struct normalizer *n, const char *host)
{
	struct ad_hoc parts;
	size_t len;

	names_clear(n);
	ad_hoc_parse(&parts, host, NULL);
	/* What can't be taken apart is its own name. */
	n->names[0] = xstrdup(
	    parts.host != NULL && parts.host[0] != '\0' ? parts.host : host);
	ad_hoc_clear(&parts);
	len = strcspn(n->names[0], ".");
	if (len > 0 && n->names[0][len] == '.' && !is_address(n->names[0]))
		n->names[1] = xstrndup(n->names[0], len);
}

/* --- lines --------------------------------------------------------------- */

static bool
is_part_of_time(int c)
{
	return isalnum(c) || c == ':';
}

static bool
is_part_of_name(int c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/* Whether a time stands for itself there. Text may follow a colon after it. */
static bool
is_apart(const uint8_t *line, size_t len, const regmatch_t *m)
{
	size_t end = (size_t)m->rm_eo;

	if (m->rm_so > 0 && is_part_of_time(line[m->rm_so - 1]))
		return false;
	if (end < len && line[end] == ':')
		end++;
	return end == len || !is_part_of_time(line[end]);
}

/* The other buffer, with so many bytes, is the line from now on. */
static void
line_turn(struct normalizer *n, size_t len)
{
	uint8_t *line = n->line;

	n->line = n->next;
	n->next = line;
	n->len = len;
	/* regexec(3) is told the length, but sanitizers look for the end. */
	n->line[len] = '\0';
}

/* Where to look on after what is no match after all. */
static size_t
pass_by(const uint8_t *line, size_t len, size_t at, bool is_time)
{
	at += at < len;
	while (is_time && at < len && is_part_of_time(line[at]))
		at++;
	return at;
}

static void
blank_pattern(struct normalizer *n, const regex_t *regex, bool is_time)
{
	const uint8_t *line = n->line;
	uint8_t *out = n->next;
	size_t at = 0, used = 0, len = n->len, end;
	regmatch_t m;
	bool is_blank;

	while (at < len) {
		m.rm_so = (regoff_t)at;
		m.rm_eo = (regoff_t)len;
		if (regexec(regex, (const char *)line, 1, &m, REG_STARTEND) !=
		    0)
			break;
		is_blank =
		    m.rm_eo > m.rm_so && (!is_time || is_apart(line, len, &m));
		end = (size_t)m.rm_so;
		if (!is_blank)
			end = pass_by(line, len, end, is_time);
		memcpy(out + used, line + at, end - at);
		used += end - at;
		at = is_blank ? (size_t)m.rm_eo : end;
		if (is_blank)
			out[used++] = BLANK;
	}
	memcpy(out + used, line + at, len - at);
	line_turn(n, used + len - at);
}

static void
blank_name(struct normalizer *n, const char *name)
{
	const uint8_t *line = n->line;
	uint8_t *out = n->next;
	size_t name_len = strlen(name), at = 0, used = 0, len = n->len;

	while (at < len) {
		if (tolower(line[at]) == tolower((unsigned char)name[0]) &&
		    len - at >= name_len &&
		    strncasecmp(name, (const char *)line + at, name_len) == 0 &&
		    (at == 0 || !is_part_of_name(line[at - 1])) &&
		    (at + name_len == len ||
			!is_part_of_name(line[at + name_len]))) {
			out[used++] = BLANK;
			at += name_len;
		} else {
			out[used++] = line[at++];
		}
	}
	line_turn(n, used);
}

static bool
has_digit(const uint8_t *line, size_t len)
{
	while (len > 0 && !isdigit(line[len - 1]))
		len--;
	return len > 0;
}

void
normalizer_line(struct normalizer *n, const uint8_t *line, size_t len,
    const uint8_t **out, size_t *out_len)
{
	size_t i;

	*out = line;
	*out_len = len;
	if (len > NORMALIZE_LINE_MAX)
		return;
	memcpy(n->next, line, len);
	line_turn(n, len);
	for (i = 0; i < n->count; i++)
		blank_pattern(n, &n->patterns[i], false);
	for (i = 0; n->has_defaults && i < 2 && n->names[i] != NULL; i++)
		blank_name(n, n->names[i]);
	if (n->has_defaults && has_digit(n->line, n->len))
		blank_pattern(n, &n->times, true);
	*out = n->line;
	*out_len = n->len;
}
