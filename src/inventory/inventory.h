/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inventory: hosts, groups and settings, read from INI files with iniparser.
 * The format is described in batch_inventory(5).
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/hostset.h"
#include "util/error.h"

/* The settings a host can have; the rows of the table in settings.c. */
enum setting {
	SETTING_ADDRESS,
	SETTING_PORT,
	SETTING_USER,
	SETTING_PASSWORD,
	SETTING_PASSWORD_FILE,
	SETTING_PASSWORD_ENV,
	SETTING_IDENTITY_FILE,
	SETTING_HOST_KEY_ALIAS,
	SETTING_CONNECT_TIMEOUT,
	SETTING_TIMEOUT,
	SETTING_COUNT
};

/*
 * One host, all settings resolved by precedence. Strings are owned by the
 * host; NULL where nothing is set, but name, address and user always are.
 */
struct host {
	char *name;    /* as selected, lower case: the tag of its output */
	char *groups;  /* all groups it is in, comma-separated, "" if none */
	char *address; /* host name or IP address to connect to, without [] */
	uint16_t port;
	char *user;
	char *password;
	char *password_file; /* ~ expanded */
	char *password_env;
	char *identity_file; /* ~ expanded */
	char *host_key_alias;
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms; /* of the command; 0: none */
	bool is_ad_hoc;	     /* in no inventory */
};

/* Values that override every inventory setting (the command line's). */
struct host_overrides {
	const char *value[SETTING_COUNT]; /* NULL: not given */
};

struct inventory;

struct inventory *inventory_new(void);
void inventory_free(struct inventory *inv);

/*
 * Read one more file into inv; several files merge, a later one wins. Returns
 * 0, or -1 with err filled: "FILE: [section] key: what is wrong", for errors
 * of syntax "FILE:LINE: what is wrong". No message holds a password. A regular
 * file that holds one and that others have access to is refused. After an
 * error inv is only good for inventory_free().
 */
int inventory_load(struct inventory *inv, const char *path, struct error *err);

/*
 * The same for a file that nobody has named: one of another user but root, or
 * that anybody can write to, is refused.
 */
int inventory_load_found(
    struct inventory *inv, const char *path, struct error *err);

/*
 * To be called once after the last load: undefined groups, cycles, and
 * groups that disagree over a host are found here. Returns 0, or -1 with err.
 */
int inventory_finish(struct inventory *inv, struct error *err);

/* The environment variable that names the inventory. */
#define INVENTORY_VARIABLE "BATCH_INVENTORY"

/*
 * The inventory file used when none is named: $BATCH_INVENTORY,
 * ./inventory.ini, ~/.config/batch/inventory.ini, SYSCONFDIR/batch/
 * inventory.ini. The caller frees it. NULL: there is none (that is no error;
 * a BATCH_INVENTORY that does not exist is returned and fails at loading).
 * *is_named: whether it is that of $BATCH_INVENTORY.
 */
char *inventory_default_path(bool *is_named);

/*
 * For hostset_expand(): groups, and globs over this inventory; valid as long
 * as inv. "all" is every host, unless a group of that name is defined. If no
 * file was loaded, groups and globs are an error.
 */
struct hostset_source inventory_source(const struct inventory *inv);

/* Add the names of all groups to set, "all" among them. */
void inventory_groups(const struct inventory *inv, struct hostset *set);

/*
 * Resolve a name to a host by precedence: overrides, [host], member line,
 * group "*", [defaults], built-in. A name that is in no inventory is an ad
 * hoc host: "[user@]name-or-address[:port]", IPv6 as "[::1]" or "[::1]:22".
 * For those, user and port in the name win over overrides; all else is from
 * the overrides, [defaults], built-in. If the name without user and port is
 * that of an inventory host, it is that host with this user and port.
 * timeout values are seconds, fractions allowed, or with a unit (500ms, 10s,
 * 2m, 1h). Returns 0 and fills host (release with host_clear()), or -1 with
 * err filled.
 */
int inventory_resolve(const struct inventory *inv, const char *name,
    const struct host_overrides *overrides, struct host *host,
    struct error *err);

void host_clear(struct host *host); /* wipes the password */

#endif
