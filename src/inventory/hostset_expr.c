/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Host set expressions: operands joined by "," (union), "!" (difference),
 * "&" (intersection) and "^" (symmetric difference), all of one precedence,
 * evaluated from left to right into one growing set. Blanks between operands
 * are a union too. Inside brackets none of these counts.
 *
 * An operand is a pattern of names; a pattern behind "@" names groups, and a
 * pattern with "*" or "?" stands for the names of the inventory that match.
 */
#include "config.h"

#include "inventory/hostset.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "inventory/hostset_parse.h"
#include "util/glob.h"

/* Patterns times names that one operand may compare. */
#define GLOB_WORK_MAX 200000000

struct operand {
	struct hostset *set; /* what the operand's names are added to */
	const struct hostset_source *source;
	const struct hostset *all; /* what globs are matched against */
	bool has_at;
};

static int
emit_name(void *ctx, const char *name, struct error *err)
{
	struct operand *o = ctx;

	return hostset_add(o->set, name, err) == -1 ? -1 : 0;
}

static int
emit_group(void *ctx, const char *name, struct error *err)
{
	struct operand *o = ctx;

	return o->source->group(o->source->ctx, name, o->set, err);
}

static int
emit_matches(void *ctx, const char *name, struct error *err)
{
	struct operand *o = ctx;
	size_t i, count = hostset_count(o->all);
	const char *candidate;

	for (i = 0; i < count; i++) {
		candidate = hostset_name(o->all, i);
		if (glob_match(name, candidate) &&
		    hostset_add(o->set, candidate, err) == -1)
			return -1;
	}
	return 0;
}

/* text: the operand as it was typed. */
static int
no_inventory(const struct operand *o, const char *text, struct error *err)
{
	bool has_places = o->source != NULL && o->source->places != NULL;

	return error_set(err, "\"%.100s\": there is no inventory%s%s", text,
	    has_places ? " to look it up in: none of " : "",
	    has_places ? o->source->places : "");
}

static int
expand_glob(struct operand *o, const struct pattern *p, struct error *err)
{
	struct hostset *all;
	int rc = -1;

	if (o->source == NULL || o->source->all == NULL)
		return no_inventory(o, p->text, err);
	all = hostset_new();
	if (o->source->all(o->source->ctx, all, err) == -1)
		goto out;
	if (hostset_count(all) > GLOB_WORK_MAX / p->total) {
		error_set(err, "\"%.100s\": too many patterns", p->text);
		goto out;
	}
	o->all = all;
	rc = pattern_generate(p, emit_matches, o, err);
out:
	o->all = NULL;
	hostset_free(all);
	return rc;
}

static int
expand_groups(struct operand *o, const struct pattern *p, struct error *err)
{
	char text[128];

	if (o->source == NULL || o->source->group == NULL) {
		snprintf(
		    text, sizeof(text), "%s%s", o->has_at ? "@" : "", p->text);
		return no_inventory(o, text, err);
	}
	return pattern_generate(p, emit_group, o, err);
}

/* Add what the operand of len bytes stands for to set. */
static int
expand_operand(struct hostset *set, const char *text, size_t len,
    const struct hostset_source *source, struct error *err)
{
	struct operand o = {.set = set, .source = source};
	struct pattern p;
	bool is_group = source != NULL && source->is_all_groups;
	int rc;

	if (text[0] == '@') {
		is_group = o.has_at = true;
		text++;
		len--;
		if (len == 0)
			return error_set(err, "\"@\" without a group");
	}
	if (pattern_parse(&p, text, len, err) == -1)
		rc = -1;
	else if (is_group)
		rc = expand_groups(&o, &p, err);
	else if (p.is_glob)
		rc = expand_glob(&o, &p, err);
	else {
		if (p.total > 1)
			hostset_reserve(set, p.total);
		rc = pattern_generate(&p, emit_name, &o, err);
	}
	pattern_clear(&p);
	return rc;
}

static int
apply(struct hostset *set, char op, const char *text, size_t len,
    const struct hostset_source *source, struct error *err)
{
	struct hostset *right, *common;
	int rc;

	if (op == ',')
		return expand_operand(set, text, len, source, err);
	right = hostset_new();
	rc = expand_operand(right, text, len, source, err);
	if (rc == 0 && op == '!') {
		hostset_subtract(set, right);
	} else if (rc == 0 && op == '&') {
		hostset_intersect(set, right);
	} else if (rc == 0) {
		common = hostset_new();
		rc = hostset_union(common, right, err);
		hostset_intersect(common, set);
		hostset_subtract(set, common);
		hostset_subtract(right, common);
		hostset_free(common);
		if (rc == 0)
			rc = hostset_union(set, right, err);
	}
	hostset_free(right);
	return rc;
}

static const char *
skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* The bytes up to an operator, a blank or the end, outside of brackets. */
static size_t
operand_length(const char *text)
{
	static const char stops[] = ",!&^ \t\n\v\f\r[";
	size_t len = strcspn(text, stops);

	while (text[len] == '[') {
		len += strcspn(text + len, "]");
		len += strcspn(text + len, stops);
	}
	return len;
}

/*
 * Evaluate expr, which is not blank, into set. Operators work on all of set,
 * so it must be empty unless there are none but ",".
 */
static int
evaluate(struct hostset *set, const char *expr,
    const struct hostset_source *source, struct error *err)
{
	const char *s = skip_space(expr);
	size_t len;
	char op = ',';

	for (;;) {
		len = operand_length(s);
		if (len == 0)
			break;
		if (apply(set, op, s, len, source, err) == -1)
			return -1;
		s = skip_space(s + len);
		if (*s == '\0')
			return 0;
		op = ',';
		if (strchr(",!&^", *s) != NULL) {
			op = *s;
			s = skip_space(s + 1);
		}
	}
	if (*s != '\0')
		return error_set(err,
		    "\"%.100s\": a host is missing before \"%c\"", expr, *s);
	return error_set(
	    err, "\"%.100s\": a host is missing after \"%c\"", expr, op);
}

int
hostset_expand(struct hostset *set, const char *expr,
    const struct hostset_source *source, struct error *err)
{
	struct hostset *result;
	const char *s;
	int rc;

	/* Messages quote the expression. */
	for (s = expr; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s) && !isspace((unsigned char)*s))
			return error_set(err, "bad character 0x%02x in hosts",
			    (unsigned int)(unsigned char)*s);
	}
	if (*skip_space(expr) == '\0')
		return 0;
	/* Where all is union, no set of its own is needed. */
	if (hostset_count(set) == 0 || strpbrk(expr, "!&^") == NULL)
		return evaluate(set, expr, source, err);
	result = hostset_new();
	rc = evaluate(result, expr, source, err);
	if (rc == 0)
		rc = hostset_union(set, result, err);
	hostset_free(result);
	return rc;
}
