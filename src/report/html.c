/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page is its template (html/report.html) with the {{places}} filled in.
 * It is written on the way, a record as it comes and then an output at a time,
 * so that no memory is taken for it; and it takes its place by a rename, so
 * that there never is half a page.
 *
 * What hosts or the inventory say stands in the page only as JSON, in elements
 * that no browser runs, without a single "<"; the script makes text of it. A
 * browser runs or applies nothing but what has the hashes of our own script
 * and style, and loads nothing at all.
 */
#include "config.h"

#include "report/html.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "report/html_parts.h"
#include "report/json.h"
#include "util/digest.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/replacement.h"
#include "util/xalloc.h"

#define RECORD_MAX ((size_t)16 << 20)

struct html {
	struct replacement place;
	FILE *file;	  /* the temporary; NULL: there is none */
	const char *rest; /* of the template */
	const char *separator;
	bool has_outputs;	    /* no record follows */
	const struct html_end *end; /* what the template's rest needs */
	int error;		    /* errno of the first write that failed */
};

/* --- pieces -------------------------------------------------------------- */

/* In JSON a "<" stands in strings only. For json_dump_callback(). */
static int
json_write(const char *json, size_t len, void *file)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (json[i] == '<')
			fputs("\\u003c", file);
		else
			putc(json[i], file);
	}
	return 0;
}

/* Takes the reference. */
static void
json_write_new(FILE *f, json_t *value)
{
	if (json_dump_callback(value, json_write, f, JSON_COMPACT) == -1)
		fatal("the page's data can't be written as JSON");
	json_decref(value);
}

/* 'sha256-BASE64', as CSP Level 3 has it. */
static void
policy_hash(FILE *f, const struct html_part *part)
{
	uint8_t hash[DIGEST_BYTES], text[DIGEST_BYTES * 2];
	struct digest *d = digest_new();

	digest_add(d, part->text, part->len);
	digest_end(d, hash);
	digest_free(d);
	EVP_EncodeBlock(text, hash, sizeof(hash));
	fprintf(f, " 'sha256-%s'", (const char *)text);
}

static void
policy_write(FILE *f)
{
	fputs("default-src 'none'; base-uri 'none'; form-action 'none'; "
	      "script-src",
	    f);
	policy_hash(f, &html_script);
	fputs("; style-src", f);
	policy_hash(f, &html_style);
}

static json_t *
statuses_json(void)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < STATUS_COUNT; i++)
		json_array_append_new(
		    list, json_string(status_name((enum status)i)));
	return list;
}

/* Escaped, but for its ends of lines. */
static json_t *
text_json(const void *text, size_t len)
{
	const char *p = text, *end = p + len, *newline;
	struct buf b;
	json_t *value;

	buf_init(&b, 16 * len + 16);
	while (p < end) {
		newline = memchr(p, '\n', (size_t)(end - p));
		escape_append(
		    &b, p, (size_t)((newline != NULL ? newline : end) - p));
		if (newline != NULL)
			buf_append(&b, "\n", 1);
		p = newline != NULL ? newline + 1 : end;
	}
	value = buf_len(&b) > 0
	    ? json_stringn((const char *)buf_head(&b), buf_len(&b))
	    : json_string("");
	buf_clear(&b);
	return value;
}

/* What the user has typed, any bytes. */
static json_t *
words_json(const char *words)
{
	return text_json(words, strlen(words));
}

static json_t *
run_json(const struct html_end *end)
{
	const struct run_words *words = end->words;

	return json_pack("{s:s s:s s:o s:o s:I s:I s:b s:o s:o}", "program",
	    words->program, "version", PACKAGE_VERSION, "task",
	    words_json(words->task), "choice", words_json(words->choice),
	    "began_ms", (json_int_t)end->began_at_ms, "elapsed_ms",
	    (json_int_t)end->elapsed_ms, "are_outputs_cut",
	    end->are_outputs_cut, "statuses", statuses_json(), "failures",
	    summary_failures(end->summary));
}

static json_t *
output_json(const struct html_output *o)
{
	json_t *seqs = json_array();
	size_t i;

	for (i = 0; i < o->count; i++)
		json_array_append_new(seqs, json_integer(o->seqs[i]));
	return json_pack("{s:s s:o s:i s:o s:b}", "hosts", o->hosts, "seqs",
	    seqs, "stream", o->stream, "text", text_json(o->text, o->len),
	    "is_truncated", o->is_truncated);
}

/* --- the template -------------------------------------------------------- */

static void
place_fill(struct html *h, const char *name, size_t len)
{
	if (strncmp(name, "policy", len) == 0)
		policy_write(h->file);
	else if (strncmp(name, "style", len) == 0)
		fputs(html_style.text, h->file);
	else if (strncmp(name, "script", len) == 0)
		fputs(html_script.text, h->file);
	else if (strncmp(name, "run", len) == 0)
		json_write_new(h->file, run_json(h->end));
	else
		fatal("unknown place in the page");
}

/*
 * Copy the template on, filling its places, until that of the records, that of
 * the outputs, or the end.
 */
static void
page_go_on(struct html *h)
{
	const char *open, *name;
	size_t len;

	while ((open = strstr(h->rest, "{{")) != NULL) {
		fwrite(h->rest, 1, (size_t)(open - h->rest), h->file);
		name = open + 2;
		len = strcspn(name, "}");
		h->rest = name + len + 2;
		if (strncmp(name, "records", len) == 0 ||
		    strncmp(name, "outputs", len) == 0)
			return;
		place_fill(h, name, len);
	}
	fputs(h->rest, h->file);
}

/* --- the file ------------------------------------------------------------ */

static int
page_flush(struct html *h)
{
	errno = 0;
	if ((fflush(h->file) == EOF || ferror(h->file)) && h->error == 0)
		h->error = errno != 0 ? errno : EIO;
	return h->error == 0 ? 0 : -1;
}

/* Returns 0 with the temporary in h->file, or -1 with err. */
static int
page_open(struct html *h, struct error *err)
{
	const char *path = h->place.path;
	struct stat old;
	bool is_there = stat(path, &old) == 0;
	int fd;

	if (is_there && access(path, W_OK) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	fd = replacement_open(&h->place, 0666, err);
	if (fd == -1)
		return -1;
	h->file = fdopen(fd, "w");
	if (h->file == NULL)
		fatal("fdopen: %s", strerror(errno));
	if (is_there && fchmod(fd, old.st_mode & 0777) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	return 0;
}

struct html *
html_new(const char *path, struct error *err)
{
	struct html *h = xcalloc(1, sizeof(*h));

	h->separator = "\n";
	h->rest = html_page.text;
	if (replacement_init(&h->place, path, "page", err) == 0 &&
	    page_open(h, err) == 0) {
		page_go_on(h);
		if (page_flush(h) == 0)
			return h;
		error_set(err, "%s: %s", path, strerror(h->error));
	}
	html_free(h);
	return NULL;
}

void
html_free(struct html *h)
{
	if (h == NULL)
		return;
	if (h->file != NULL) {
		fclose(h->file);
		replacement_drop(&h->place);
	}
	replacement_clear(&h->place);
	free(h);
}

void
html_record(struct html *h, const struct record *record)
{
	struct buf line;

	buf_init(&line, RECORD_MAX);
	json_record(record, NULL, false, &line);
	fputs(h->separator, h->file);
	json_write((const char *)buf_head(&line), buf_len(&line), h->file);
	buf_clear(&line);
	page_flush(h);
	h->separator = ",";
}

static void
outputs_begin(struct html *h)
{
	if (h->has_outputs)
		return;
	h->has_outputs = true;
	page_go_on(h);
	h->separator = "\n";
}

void
html_output(struct html *h, const struct html_output *o)
{
	outputs_begin(h);
	fputs(h->separator, h->file);
	json_write_new(h->file, output_json(o));
	page_flush(h);
	h->separator = ",\n";
}

int
html_finish(struct html *h, const struct html_end *end, struct error *err)
{
	FILE *file = h->file;
	const char *path = h->place.path;

	h->end = end;
	outputs_begin(h);
	page_go_on(h);
	if (page_flush(h) == -1)
		return error_set(err, "%s: %s", path, strerror(h->error));
	if (fsync(fileno(file)) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (replacement_name(&h->place, fileno(file), err) == -1)
		return -1;
	h->file = NULL;
	fclose(file);
	return replacement_commit(&h->place, err);
}
