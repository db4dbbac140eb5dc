/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim: a command that simhost plays itself, as its words say (simhost.c lists
 * them). What it writes depends on the words and the position only, so any
 * piece of it can be made again.
 */
#ifndef TESTS_SIMHOST_SIM_H
#define TESTS_SIMHOST_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What it makes at a time; enough to fill a packet. */
#define SIM_PIECE_MAX (16u << 10)

enum sim_shape { SIM_LINES, SIM_NO_NEWLINE, SIM_BINARY, SIM_ESCAPES };

/* What becomes of the channel, or more, when all is sent. */
enum sim_end {
	SIM_CLOSE,
	SIM_HOLD,
	SIM_NO_EOF,
	SIM_RESET,
	SIM_HANGUP,
	SIM_SILENT,
	SIM_DIE
};

enum sim_stream { SIM_OUT, SIM_ERR, SIM_STREAMS };

struct sim {
	char *words; /* the command, cut into words */
	uint64_t bytes[SIM_STREAMS];
	uint64_t rate, sleep_ms;
	enum sim_shape shape;
	const char *echo; /* before bytes[SIM_OUT], or NULL */
	bool is_cat;
	bool has_status;
	uint8_t exit_status;
	const char *signal; /* instead of the status, or NULL */
	enum sim_end end;

	uint64_t start_ms;	    /* when it begins to send */
	uint64_t sent[SIM_STREAMS]; /* echo included */
};

/*
 * Begin a command: "true", "sim" or "sim WORD...". Returns NULL if it is none
 * of these, or a word is not understood.
 */
struct sim *sim_new(const char *command);
void sim_free(struct sim *s);

/*
 * Make the next piece, of at most max bytes. Returns its length, and whose it
 * is; 0 if nothing is to be sent now. It comes again until sim_sent().
 */
size_t sim_piece(const struct sim *s, uint64_t now_ms, uint8_t *piece,
    size_t max, enum sim_stream *stream);
void sim_sent(struct sim *s, enum sim_stream stream, size_t count);

/* How much of all output is still to be sent, but for what cat gives back. */
uint64_t sim_left(const struct sim *s);
/* sim_left() at which half of it is sent. */
uint64_t sim_half(const struct sim *s);

/* When sim_piece() has something, or 0: now, or never again. */
uint64_t sim_due_ms(const struct sim *s, uint64_t now_ms);

#endif
