/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings: the table of the settings a host can have, what values they
 * take, and a collection of such values at one level of precedence.
 */
#ifndef INVENTORY_SETTINGS_H
#define INVENTORY_SETTINGS_H

#include <stdint.h>

#include "inventory/inventory.h"
#include "util/error.h"

/* The name as written in the inventory. */
const char *setting_name(enum setting setting);

/* The value where none is given; NULL: none, or not the same everywhere. */
const char *setting_default(enum setting setting);

/* The setting of that name, in any case; SETTING_COUNT if there is none. */
enum setting setting_find(const char *name);

/* The setting that was probably meant, or NULL. */
const char *setting_suggest(const char *name);

/*
 * Returns 0 if setting can have this value, else -1 with err filled, e.g.
 * "bad port "99999" (1 to 65535)". No message holds a password.
 */
int setting_check(enum setting setting, const char *value, struct error *err);

/* 1 to 65535, digits only. Returns 0, or -1 with err filled. */
int port_parse(const char *text, uint16_t *port, struct error *err);

/*
 * A time in seconds, "10", "0.5", or with a unit: "500ms", "10s", "2m", "1h".
 * Rounded up to whole milliseconds, at most 30 days. Returns 0, or -1 with
 * err filled.
 */
int duration_parse(const char *text, uint32_t *ms, struct error *err);

/*
 * The values given at one level. file tells the values of one inventory file
 * from those of another: a later file may override, the same may not.
 */
struct settings {
	char *value[SETTING_COUNT]; /* owned; NULL: not given */
	unsigned int file[SETTING_COUNT];
};

struct settings *settings_new(void);
void settings_free(struct settings *settings); /* wipes passwords */

/*
 * Check value and store a copy. Returns 0, or -1 with err filled: the value
 * is bad, or the same file gave another one before.
 */
int settings_set(struct settings *settings, enum setting setting,
    const char *value, unsigned int file, struct error *err);

/*
 * Store the "name=value ..." words of a member line. A value may be in single
 * or double quotes, then it may hold blanks. Returns 0, or -1 with err filled.
 */
int settings_parse_words(struct settings *settings, const char *words,
    unsigned int file, struct error *err);

/* The setting that both give, in one file, different values; else COUNT. */
enum setting settings_conflict(
    const struct settings *a, const struct settings *b);

#endif
