/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * human: sizes and times for the eyes of a person. Units are powers of 1000,
 * as disks and networks have them; a text never needs more than HUMAN_SIZE
 * bytes, and has its NUL.
 */
#ifndef UTIL_HUMAN_H
#define UTIL_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#define HUMAN_SIZE 32

/* "0 B", "999 B", "1.2 kB", "12.3 MB", "320 MB". */
void human_bytes(char *text, size_t size, uint64_t bytes);

/* "320 MB/s". */
void human_rate(char *text, size_t size, uint64_t bytes_per_s);

/* "0.3 s", "1:02 min", "1:02:03 h". */
void human_duration(char *text, size_t size, uint64_t ms);

/* "3 ms", "999 ms"; from a second on as human_duration() has it. */
void human_latency(char *text, size_t size, uint64_t ms);

/* As a clock has it: "0:03", "1:02", "1:02:03". */
void human_clock(char *text, size_t size, uint64_t seconds);

#endif
