/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * waves: how many hosts a rolling run takes on at a time: "1,10%,100%" is one
 * host, then a tenth of all, then the rest.
 */
#ifndef CONTROL_WAVES_H
#define CONTROL_WAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define WAVES_MAX 64

/* So many hosts, or percent of all. */
struct amount {
	uint32_t value;
	bool is_percent;
};

/* The sizes in order; without one there is a single wave, of all. */
struct waves {
	struct amount sizes[WAVES_MAX];
	size_t count;
};

/* Parse "12" or "5%". Returns 0, or -1 with err. */
int amount_parse(const char *text, struct amount *amount, struct error *err);
/* How many of total that is. */
uint32_t amount_rounded_up(struct amount amount, uint32_t total);
uint32_t amount_rounded_down(struct amount amount, uint32_t total);

/*
 * Parse sizes with commas between; none may be 0. Returns 0, or -1 with err.
 */
int waves_parse(const char *list, struct waves *waves, struct error *err);
/* The size of a wave, from 0; the last one of the list repeats. */
uint32_t waves_size(const struct waves *waves, size_t wave, uint32_t total);

#endif
