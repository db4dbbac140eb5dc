/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inventory's data, shared by inventory*.c and private to them. */
#ifndef INVENTORY_INVENTORY_IMPL_H
#define INVENTORY_INVENTORY_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"
#include "inventory/settings.h"

/* A host in a group. */
struct membership {
	struct membership *next;
	uint32_t group;
	const struct settings *settings; /* of a member line; NULL: none */
};

/* A host; its name is that of the same index in inventory.host_names. */
struct member {
	struct settings *own; /* of [host NAME]; NULL: none */
	struct membership *first, *last;
};

/* An entry of a group, in the order of the file. */
struct item {
	uint32_t index; /* into hosts or groups */
	bool is_group;
};

/* A group; its name is that of the same index in inventory.group_names. */
struct group {
	bool is_defined;       /* has a section of its own */
	uint32_t named_in;     /* if not: the group that names it, */
	unsigned int file;     /* in this file; else the file that defines it */
	struct settings *star; /* of "*"; NULL: none */
	struct item *items;
	size_t item_count;
	size_t item_size;
	/* From inventory_finish(): */
	uint32_t *ancestors; /* groups it is in, directly or not; ascending */
	size_t ancestor_count;
	unsigned int depth; /* length of the longest chain above it */
};

struct inventory {
	char **files; /* paths as given */
	unsigned int file_count;
	struct settings *defaults;
	struct hostset *host_names;
	struct member *hosts;
	size_t host_size;
	struct hostset *group_names;
	struct group *groups;
	size_t group_size;
	struct settings **lines; /* settings of member lines, owned here */
	size_t line_count;
	size_t line_size;
	char *login; /* the user who runs us; NULL: has no name */
};

/* Groups may be nested this deep. */
#define GROUP_DEPTH_MAX 64

#define HOST_NONE	((size_t)-1)

/* Append to array, which has room for size elements, when it is full. */
#define GROW(array, count, size)                                              \
	do {                                                                  \
		if ((count) >= (size)) {                                      \
			(size) = (count)*2 + 16;                              \
			(array) =                                             \
			    xreallocarray((array), (size), sizeof(*(array))); \
		}                                                             \
	} while (0)

/* The group's index, made (undefined) if it is new. -1: too many groups. */
int inventory_group(struct inventory *inv, const char *name, uint32_t *index,
    struct error *err);
/* The host's index, made if it is new. Returns 0, or -1 with err. */
int inventory_host(struct inventory *inv, const char *name, uint32_t *index,
    struct error *err);

/*
 * "undefined group ..." with the name that was probably meant. Only defined
 * groups are suggested. Returns -1.
 */
int inventory_undefined(
    const struct inventory *inv, const char *name, struct error *err);

/* For qsort() and bsearch() over indices, which are uint32_t. */
int inventory_compare_index(const void *a, const void *b);

/*
 * The values that apply to a host (NULL where there are none), all but the
 * built-in ones; host may be HOST_NONE. Views into inv. Returns 0, or -1 with
 * err if two groups disagree. After inventory_finish() that is impossible.
 */
int inventory_values(const struct inventory *inv, size_t host,
    const char *value[SETTING_COUNT], struct error *err);

#endif
