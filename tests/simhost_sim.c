/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/xalloc.h"

#define LINE_BYTES 64
#define UNIT_MAX   256
/* With rate=, so many pieces a second. */
#define TICKS 20

/* --- words --- */

static const struct {
	const char *name;
	enum sim_shape shape;
} shapes[] = {
    {"no-newline", SIM_NO_NEWLINE},
    {"binary", SIM_BINARY},
    {"escapes", SIM_ESCAPES},
};

static const struct {
	const char *name;
	enum sim_end end;
} ends[] = {
    {"hold", SIM_HOLD},
    {"no-eof", SIM_NO_EOF},
    {"reset", SIM_RESET},
    {"hangup", SIM_HANGUP},
    {"silent", SIM_SILENT},
    {"die", SIM_DIE},
};

static bool
set_flag(struct sim *s, const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (strcmp(word, shapes[i].name) == 0) {
			s->shape = shapes[i].shape;
			return true;
		}
	}
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(word, ends[i].name) == 0) {
			s->end = ends[i].end;
			return true;
		}
	}
	if (strcmp(word, "cat") == 0)
		s->is_cat = true;
	else if (strcmp(word, "no-status") == 0)
		s->has_status = false;
	else
		return false;
	return true;
}

static bool
set_number(struct sim *s, const char *name, uint64_t number)
{
	if (strcmp(name, "out") == 0)
		s->bytes[SIM_OUT] = number;
	else if (strcmp(name, "err") == 0)
		s->bytes[SIM_ERR] = number;
	else if (strcmp(name, "rate") == 0)
		s->rate = number;
	else if (strcmp(name, "sleep") == 0)
		s->sleep_ms = number;
	else if (strcmp(name, "exit") == 0 && number <= 255)
		s->exit_status = (uint8_t)number;
	else
		return false;
	return true;
}

static bool
set_word(struct sim *s, char *word)
{
	char *value = strchr(word, '='), *end;
	unsigned long long number;

	if (value == NULL)
		return set_flag(s, word);
	*value++ = '\0';
	if (strcmp(word, "echo") == 0) {
		s->echo = value;
		return true;
	}
	if (strcmp(word, "signal") == 0) {
		s->signal = value;
		return true;
	}
	number = strtoull(value, &end, 10);
	return value[0] >= '0' && value[0] <= '9' && *end == '\0' &&
	    set_number(s, word, number);
}

struct sim *
sim_new(const char *command)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	char *word, *state = NULL;
	bool is_good;

	s->words = xstrdup(strcmp(command, "true") == 0 ? "sim" : command);
	s->has_status = true;
	word = strtok_r(s->words, " ", &state);
	is_good = word != NULL && strcmp(word, "sim") == 0;
	while (is_good && (word = strtok_r(NULL, " ", &state)) != NULL)
		is_good = set_word(s, word);
	if (!is_good) {
		sim_free(s);
		return NULL;
	}
	s->start_ms = clock_now_ms() + s->sleep_ms;
	return s;
}

void
sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	free(s->words);
	free(s);
}

/* --- what it writes --- */

/* What drives a terminal, or is no text. */
static const char escapes[] = "\033[2J\033[31mred\033]0;title\007 \r over\n"
			      "\xe2\x80\xae"
			      "gnp.exe \xe2\x81\xa6 isolate\n"
			      "\xff\xfe\xc0\x80 \xed\xa0\x80 not UTF-8\n"
			      "\033[1A\033[K\b\b\b\x9b"
			      "5n \033[6n\tend\r\n";

/* "out 000000000017 abc...": so that no two lines are the same. */
static void
make_line(enum sim_stream stream, uint64_t number, bool has_newline,
    uint8_t line[LINE_BYTES])
{
	int i;

	memcpy(line, stream == SIM_OUT ? "out " : "err ", 4);
	for (i = 15; i >= 4; i--, number /= 10)
		line[i] = (uint8_t)('0' + number % 10);
	line[16] = ' ';
	for (i = 17; i < LINE_BYTES - 1; i++)
		line[i] = (uint8_t)('a' + (i - 17) % 26);
	line[i] = has_newline ? '\n' : '.';
}

/* Output is made of units of one size; make the one that pos is in. */
static size_t
make_unit(const struct sim *s, enum sim_stream stream, uint64_t pos,
    uint8_t unit[UNIT_MAX])
{
	int i;

	switch (s->shape) {
	case SIM_LINES:
	case SIM_NO_NEWLINE:
		make_line(
		    stream, pos / LINE_BYTES, s->shape == SIM_LINES, unit);
		return LINE_BYTES;
	case SIM_BINARY:
		/* Each value once, in an order that changes. */
		for (i = 0; i < 256; i++)
			unit[i] = (uint8_t)((uint64_t)i ^ pos / 256);
		return 256;
	case SIM_ESCAPES:
		memcpy(unit, escapes, sizeof(escapes) - 1);
		return sizeof(escapes) - 1;
	}
	return 0;
}

/* With its newline. */
static uint64_t
echo_bytes(const struct sim *s, enum sim_stream stream)
{
	return s->echo != NULL && stream == SIM_OUT ? strlen(s->echo) + 1 : 0;
}

/* Make what is at pos, at most max bytes; returns how many. */
static size_t
make_bytes(const struct sim *s, enum sim_stream stream, uint64_t pos,
    uint8_t *to, size_t max)
{
	uint64_t echo = echo_bytes(s, stream);
	uint8_t unit[UNIT_MAX];
	size_t from, len;

	if (pos < echo) {
		*to = pos == echo - 1 ? '\n' : (uint8_t)s->echo[pos];
		return 1;
	}
	len = make_unit(s, stream, pos - echo, unit);
	from = (size_t)((pos - echo) % len);
	len = len - from < max ? len - from : max;
	memcpy(to, unit + from, len);
	return len;
}

static uint64_t
total(const struct sim *s, enum sim_stream stream)
{
	return echo_bytes(s, stream) + s->bytes[stream];
}

uint64_t
sim_left(const struct sim *s)
{
	return total(s, SIM_OUT) - s->sent[SIM_OUT] + total(s, SIM_ERR) -
	    s->sent[SIM_ERR];
}

uint64_t
sim_half(const struct sim *s)
{
	uint64_t all = total(s, SIM_OUT) + total(s, SIM_ERR);

	return all - all / 2;
}

/* --- when --- */

/* How much rate= makes of the next piece. */
static uint64_t
tick_bytes(const struct sim *s)
{
	uint64_t bytes = s->rate / TICKS, left = sim_left(s);

	if (bytes == 0)
		bytes = 1;
	return bytes < left ? bytes : left;
}

/* When count bytes more may be sent. */
static uint64_t
rate_due_ms(const struct sim *s, uint64_t count)
{
	uint64_t bytes = s->sent[SIM_OUT] + s->sent[SIM_ERR] + count;

	if (s->rate == 0)
		return s->start_ms;
	return s->start_ms + bytes / s->rate * 1000 +
	    bytes % s->rate * 1000 / s->rate;
}

uint64_t
sim_due_ms(const struct sim *s, uint64_t now_ms)
{
	uint64_t due_ms = rate_due_ms(s, tick_bytes(s));

	return now_ms < due_ms ? due_ms : 0;
}

size_t
sim_piece(const struct sim *s, uint64_t now_ms, uint8_t *piece, size_t max,
    enum sim_stream *stream)
{
	uint64_t left[SIM_STREAMS] = {total(s, SIM_OUT) - s->sent[SIM_OUT],
	    total(s, SIM_ERR) - s->sent[SIM_ERR]};
	size_t count = max < SIM_PIECE_MAX ? max : SIM_PIECE_MAX, i;

	if (sim_due_ms(s, now_ms) != 0)
		return 0;
	/* The streams keep step. */
	*stream = left[SIM_OUT] == 0 ||
		(left[SIM_ERR] > 0 && s->sent[SIM_ERR] < s->sent[SIM_OUT])
	    ? SIM_ERR
	    : SIM_OUT;
	if (s->rate != 0 && tick_bytes(s) < count)
		count = (size_t)tick_bytes(s);
	if (left[*stream] < count)
		count = (size_t)left[*stream];
	for (i = 0; i < count;)
		i += make_bytes(
		    s, *stream, s->sent[*stream] + i, piece + i, count - i);
	return count;
}

void
sim_sent(struct sim *s, enum sim_stream stream, size_t count)
{
	s->sent[stream] += count;
}
