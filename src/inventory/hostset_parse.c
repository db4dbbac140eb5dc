/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pattern is a sequence of parts, each literal text followed by the ranges
 * of one pair of brackets:
 *
 *	web[1-3,07]-n[0-8/2].example
 *	^^^ ^^^^^^^ ^ ^^^^^^ ^^^^^^^
 *	literal     literal  literal of the last part, which has no ranges
 *
 * Parsing counts the names (the product of the brackets) and their greatest
 * length, and refuses what is too many or too long, so that generating needs
 * one fixed buffer and no check. Generating recurses over the parts; the
 * depth is bounded because each pair of brackets adds a digit to the name.
 *
 * The rules of ClusterShell 1.9 hold: if one end of a range is padded with
 * zeros then both have the same number of digits. In contrast to ClusterShell
 * there are no negative numbers.
 */
#include "config.h"

#include "inventory/hostset_parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "util/glob.h"
#include "util/xalloc.h"

#define DIGITS_MAX  18	    /* always fits in 64 bits */
#define QUOTED_MAX  100	    /* bytes of the offending text in a message */
#define RANGE_BYTES "/, \t" /* what only the brackets of ranges may hold */

/* "%.*s" arguments for the text from start to end. */
#define QUOTE(start, end)                                                     \
	((end) - (start) > QUOTED_MAX ? QUOTED_MAX : (int)((end) - (start))), \
	    (start)

static const char *
skip_blanks(const char *s, const char *end)
{
	while (s < end && isblank((unsigned char)*s))
		s++;
	return s;
}

/*
 * Read a number at *s, blanks around it allowed. digits is set to how many
 * it has. Returns 0, or -1 if there is none or it is too large.
 */
static int
read_number(const char **s, const char *end, uint64_t *value, int *digits)
{
	const char *p = skip_blanks(*s, end);

	*value = 0;
	*digits = 0;
	while (p < end && isdigit((unsigned char)*p)) {
		if (++*digits > DIGITS_MAX)
			return -1;
		*value = *value * 10 + (uint64_t)(*p++ - '0');
	}
	*s = skip_blanks(p, end);
	return *digits > 0 ? 0 : -1;
}

/* Whether the number that ends at the digit before end is padded. */
static bool
is_padded(uint64_t value, int digits)
{
	uint64_t least = 1;
	int i;

	for (i = 1; i < digits; i++)
		least *= 10;
	return digits > 1 && value < least;
}

/* "5", "1-20" or "0-10/2", from s to end. */
static int
parse_range(struct range *r, const char *s, const char *end, struct error *err)
{
	const char *p = s;
	uint64_t last;
	int digits, last_digits = 0, step_digits = 0;

	r->step = 1;
	if (skip_blanks(s, end) == end)
		return error_set(err, "empty range");
	if (read_number(&p, end, &r->first, &digits) == -1)
		goto bad;
	last = r->first;
	last_digits = digits;
	if (p < end && *p == '-') {
		p++;
		if (read_number(&p, end, &last, &last_digits) == -1)
			goto bad;
		if (p < end && *p == '/') {
			p++;
			if (read_number(&p, end, &r->step, &step_digits) == -1)
				goto bad;
		}
	}
	if (p != end)
		goto bad;
	if (last < r->first)
		return error_set(
		    err, "range \"%.*s\" is reversed", QUOTE(s, end));
	if (r->step == 0)
		return error_set(
		    err, "range \"%.*s\" has a step of 0", QUOTE(s, end));
	r->width = 0;
	if (is_padded(r->first, digits) || is_padded(last, last_digits)) {
		if (digits != last_digits)
			return error_set(err,
			    "range \"%.*s\" mixes numbers padded to %d and "
			    "%d digits",
			    QUOTE(s, end), digits, last_digits);
		r->width = digits;
	}
	r->count = (last - r->first) / r->step + 1;
	return 0;
bad:
	if (digits > DIGITS_MAX || last_digits > DIGITS_MAX ||
	    step_digits > DIGITS_MAX)
		return error_set(err,
		    "range \"%.*s\" has a number of more than %d digits",
		    QUOTE(s, end), DIGITS_MAX);
	return error_set(err, "bad range \"%.*s\"", QUOTE(s, end));
}

static struct part *
add_part(struct pattern *p, const char *literal, const char *end)
{
	struct part *part;

	p->parts =
	    xreallocarray(p->parts, p->part_count + 1, sizeof(*p->parts));
	part = &p->parts[p->part_count++];
	memset(part, 0, sizeof(*part));
	part->literal = literal;
	part->literal_len = (size_t)(end - literal);
	return part;
}

/* The comma list between a pair of brackets. */
static int
parse_ranges(struct pattern *p, struct part *part, const char *s,
    const char *end, struct error *err)
{
	const char *comma;
	struct range *r;
	uint64_t count = 0;

	if (skip_blanks(s, end) == end)
		return error_set(err, "empty brackets");
	for (;; s = comma + 1) {
		comma = memchr(s, ',', (size_t)(end - s));
		part->ranges = xreallocarray(
		    part->ranges, part->range_count + 1, sizeof(*part->ranges));
		r = &part->ranges[part->range_count];
		if (parse_range(r, s, comma != NULL ? comma : end, err) == -1)
			return -1;
		part->range_count++;
		/* Neither sum nor product can overflow below the limit. */
		if (r->count > HOSTSET_MAX ||
		    (count += r->count) * p->total > HOSTSET_MAX)
			return error_set(
			    err, "more than %d hosts", HOSTSET_MAX);
		if (comma == NULL)
			break;
	}
	p->total = (size_t)(count * p->total);
	return 0;
}

static int
bad_character(const char *text, const char *at, struct error *err)
{
	if (isgraph((unsigned char)*at))
		return error_set(err, "\"%.*s\": bad character \"%c\"",
		    QUOTE(text, at + 1), *at);
	return error_set(err, "\"%.*s\": bad character 0x%02x", QUOTE(text, at),
	    (unsigned int)(unsigned char)*at);
}

/*
 * Fold to lower case and refuse what no host name, address or user has. This
 * also keeps "/" and control characters out of file names and terminals.
 */
static int
check_text(char *text, struct error *err)
{
	const char *at = strrchr(text, '@');
	bool in_brackets = false, has_substance = false;
	char *s;

	for (s = text; *s != '\0'; s++) {
		if (*s == '[')
			in_brackets = true;
		else if (*s == ']')
			in_brackets = false;
		else if (in_brackets && strchr(RANGE_BYTES, *s) != NULL)
			continue;
		else if (!isascii((unsigned char)*s) ||
		    (!isalnum((unsigned char)*s) &&
			strchr("._-+~%:@*?", *s) == NULL))
			return bad_character(text, s, err);
		if (at == NULL || s > at)
			*s = (char)tolower((unsigned char)*s);
		has_substance = has_substance || strchr("._-+~%@", *s) == NULL;
	}
	if (text[0] == '-' || !has_substance)
		return error_set(
		    err, "\"%.*s\" is no host name", QUOTE(text, s));
	return 0;
}

static int
parse_parts(struct pattern *p, struct error *err)
{
	const char *literal = p->text, *s = literal, *close, *bad;
	struct part *part;

	while (*s != '\0') {
		if (*s == ']')
			return error_set(err, "\"]\" without \"[\"");
		if (*s != '[') {
			s++;
			continue;
		}
		close = strchr(s, ']');
		if (close == NULL)
			return error_set(err, "\"[\" without \"]\"");
		if (memchr(s, ':', (size_t)(close - s)) == NULL) {
			part = add_part(p, literal, s);
			if (parse_ranges(p, part, s + 1, close, err) == -1)
				return -1;
			literal = close + 1;
		} else if ((bad = s + strcspn(s, RANGE_BYTES)) < close) {
			return bad_character(s, bad, err);
		}
		s = close + 1;
	}
	add_part(p, literal, s);
	return 0;
}

static size_t
longest_name(const struct pattern *p)
{
	const struct part *part;
	const struct range *r;
	uint64_t last;
	size_t i, j, len = 0, digits, most;

	for (i = 0; i < p->part_count; i++) {
		part = &p->parts[i];
		most = 0;
		for (j = 0; j < part->range_count; j++) {
			r = &part->ranges[j];
			last = r->first + (r->count - 1) * r->step;
			for (digits = 1; last > 9; last /= 10)
				digits++;
			if (digits < (size_t)r->width)
				digits = (size_t)r->width;
			if (digits > most)
				most = digits;
		}
		len += part->literal_len + most;
	}
	return len;
}

int
pattern_parse(
    struct pattern *p, const char *text, size_t len, struct error *err)
{
	struct error why;

	memset(p, 0, sizeof(*p));
	p->total = 1;
	p->text = xstrndup(text, len);
	if (check_text(p->text, err) == -1)
		return -1;
	if (parse_parts(p, &why) == -1)
		return error_set(err, "\"%.*s\": %s",
		    QUOTE(p->text, p->text + len), why.text);
	if (longest_name(p) > HOSTSET_NAME_MAX)
		return error_set(err, "\"%.*s...\": longer than %d bytes",
		    QUOTE(p->text, p->text + len), HOSTSET_NAME_MAX);
	p->is_glob = glob_is_pattern(p->text);
	return 0;
}

void
pattern_clear(struct pattern *p)
{
	size_t i;

	for (i = 0; i < p->part_count; i++)
		free(p->parts[i].ranges);
	free(p->parts);
	free(p->text);
	memset(p, 0, sizeof(*p));
}

struct generator {
	const struct pattern *pattern;
	int (*emit)(void *ctx, const char *name, struct error *err);
	void *ctx;
	char name[HOSTSET_NAME_MAX + 1];
};

/* Append value, padded to width, at s. Returns where the next byte goes. */
static char *
put_number(char *s, uint64_t value, int width)
{
	char digits[24];
	int count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (width-- > count)
		*s++ = '0';
	while (count > 0)
		*s++ = digits[--count];
	return s;
}

/* All names whose parts before this one are as they stand before s. */
static int
generate(struct generator *g, size_t index, char *s, struct error *err)
{
	const struct part *part = &g->pattern->parts[index];
	const struct range *r;
	uint64_t i;
	size_t j;
	char *next;

	memcpy(s, part->literal, part->literal_len);
	s += part->literal_len;
	if (index + 1 == g->pattern->part_count) {
		*s = '\0';
		return g->emit(g->ctx, g->name, err);
	}
	for (j = 0; j < part->range_count; j++) {
		r = &part->ranges[j];
		for (i = 0; i < r->count; i++) {
			next = put_number(s, r->first + i * r->step, r->width);
			if (generate(g, index + 1, next, err) == -1)
				return -1;
		}
	}
	return 0;
}

int
pattern_generate(const struct pattern *p,
    int (*emit)(void *ctx, const char *name, struct error *err), void *ctx,
    struct error *err)
{
	struct generator g = {.pattern = p, .emit = emit, .ctx = ctx};

	return generate(&g, 0, g.name, err);
}
