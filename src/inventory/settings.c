/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values are checked where they are read, so that the message can name file,
 * section and key, and are kept as text: which of several levels wins is
 * decided before anything is converted. Messages never quote what may be a
 * password, nor a part of one: a line like "password=my secret" goes wrong at
 * "secret".
 */
#include "config.h"

#include "inventory/settings.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inventory/address.h"
#include "util/secret.h"
#include "util/suggest.h"
#include "util/xalloc.h"

#define DURATION_MAX_MS (UINT32_C(30) * 24 * 3600 * 1000)

/* --- the table ---------------------------------------------------------- */

static int
check_any(const char *value, struct error *err)
{
	(void)value;
	(void)err;
	return 0;
}

static int
check_address(const char *value, struct error *err)
{
	return address_check(value, err);
}

static int
check_port(const char *value, struct error *err)
{
	uint16_t port;

	return port_parse(value, &port, err);
}

static int
check_user(const char *value, struct error *err)
{
	const char *s;

	for (s = value; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s) || isspace((unsigned char)*s))
			return error_set(err,
			    "a user name has no blanks or "
			    "control characters");
	}
	return 0;
}

static int
check_variable(const char *value, struct error *err)
{
	const char *s;

	for (s = value; *s != '\0'; s++) {
		if (*s != '_' && !isalpha((unsigned char)*s) &&
		    (s == value || !isdigit((unsigned char)*s)))
			return error_set(
			    err, "not the name of an environment variable");
	}
	return 0;
}

static int
check_connect_timeout(const char *value, struct error *err)
{
	uint32_t ms;

	if (duration_parse(value, &ms, err) == -1)
		return -1;
	if (ms == 0)
		return error_set(err, "must be more than 0");
	return 0;
}

static int
check_timeout(const char *value, struct error *err)
{
	uint32_t ms;

	return duration_parse(value, &ms, err);
}

static const struct {
	const char *name;
	int (*check)(const char *value, struct error *err);
	const char *by_default;
} table[SETTING_COUNT] = {
    [SETTING_ADDRESS] = {"address", check_address},
    [SETTING_PORT] = {"port", check_port, "22"},
    [SETTING_USER] = {"user", check_user},
    [SETTING_PASSWORD] = {"password", check_any},
    [SETTING_PASSWORD_FILE] = {"password_file", check_any},
    [SETTING_PASSWORD_ENV] = {"password_env", check_variable},
    [SETTING_IDENTITY_FILE] = {"identity_file", check_any},
    [SETTING_HOST_KEY_ALIAS] = {"host_key_alias", check_address},
    [SETTING_CONNECT_TIMEOUT] = {"connect_timeout", check_connect_timeout,
	"10s"},
    [SETTING_TIMEOUT] = {"timeout", check_timeout},
};

const char *
setting_name(enum setting setting)
{
	return table[setting].name;
}

const char *
setting_default(enum setting setting)
{
	return table[setting].by_default;
}

enum setting
setting_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < SETTING_COUNT; i++) {
		if (strcasecmp(name, table[i].name) == 0)
			break;
	}
	return (enum setting)i;
}

static const char *
candidate(const void *ctx, size_t index)
{
	(void)ctx;
	return index < SETTING_COUNT ? table[index].name : NULL;
}

const char *
setting_suggest(const char *name)
{
	return suggest(name, candidate, NULL);
}

int
setting_check(enum setting setting, const char *value, struct error *err)
{
	if (value[0] == '\0')
		return error_set(err, "has no value");
	return table[setting].check(value, err);
}

/* --- values ------------------------------------------------------------- */

int
port_parse(const char *text, uint16_t *port, struct error *err)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	/* "00000022" is more likely a mistake than port 22. */
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		goto bad;
	value = strtoul(text, NULL, 10);
	if (value < 1 || value > UINT16_MAX)
		goto bad;
	*port = (uint16_t)value;
	return 0;
bad:
	return error_set(err, "bad port \"%.40s\" (1 to 65535)", text);
}

/* Microseconds in a unit; 0 if it is none. */
static uint64_t
unit_us(const char *unit)
{
	if (strcmp(unit, "") == 0 || strcmp(unit, "s") == 0)
		return UINT64_C(1000000);
	if (strcmp(unit, "ms") == 0)
		return UINT64_C(1000);
	if (strcmp(unit, "m") == 0)
		return UINT64_C(60000000);
	if (strcmp(unit, "h") == 0)
		return UINT64_C(3600000000);
	return 0;
}

int
duration_parse(const char *text, uint32_t *ms, struct error *err)
{
	size_t whole = strspn(text, "0123456789"), part = 0, i;
	uint64_t value = 0, scale = 1, unit, us;
	const char *s = text + whole;

	if (*s == '.') {
		part = strspn(s + 1, "0123456789");
		s += part + 1;
	}
	unit = unit_us(s);
	if (whole == 0 || unit == 0 || (text[whole] == '.' && part == 0))
		return error_set(err,
		    "bad time \"%.40s\" (seconds, or like 500ms, 10s, 2m, 1h)",
		    text);
	if (whole > 10 || part > 6)
		goto range;
	for (i = 0; i < whole; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	for (i = 0; i < part; i++) {
		value = value * 10 + (uint64_t)(text[whole + 1 + i] - '0');
		scale *= 10;
	}
	/* Against overflow: scale is at most 10^6, unit 3.6 * 10^9. */
	if (value > DURATION_MAX_MS * scale || value > UINT64_MAX / unit)
		goto range;
	us = (value * unit + scale - 1) / scale;
	if (us > (uint64_t)DURATION_MAX_MS * 1000)
		goto range;
	*ms = (uint32_t)((us + 999) / 1000);
	return 0;
range:
	return error_set(err,
	    "time \"%.40s\" is out of range (at most 30 days, 6 decimals)",
	    text);
}

/* --- collections -------------------------------------------------------- */

struct settings *
settings_new(void)
{
	return xcalloc(1, sizeof(struct settings));
}

void
settings_free(struct settings *settings)
{
	size_t i;

	if (settings == NULL)
		return;
	for (i = 0; i < SETTING_COUNT; i++)
		secret_free(settings->value[i]);
	free(settings);
}

int
settings_set(struct settings *settings, enum setting setting, const char *value,
    unsigned int file, struct error *err)
{
	char *old = settings->value[setting];

	if (setting_check(setting, value, err) == -1)
		return -1;
	if (old != NULL && settings->file[setting] == file &&
	    strcmp(old, value) != 0)
		return error_set(err, "set twice, to different values");
	settings->value[setting] =
	    setting == SETTING_PASSWORD ? secret_strdup(value) : xstrdup(value);
	settings->file[setting] = file;
	secret_free(old);
	return 0;
}

static int
unknown_setting(const char *name, struct error *err)
{
	const char *meant = setting_suggest(name);

	if (meant != NULL)
		return error_set(err,
		    "unknown setting \"%.60s\" (did you mean \"%s\"?)", name,
		    meant);
	return error_set(err, "unknown setting \"%.60s\"", name);
}

/*
 * Cut off the value at *s: up to the closing quote, or to a blank. *s is then
 * what follows. Returns NULL if a quote is not closed or not followed by a
 * blank.
 */
static char *
take_value(char **s)
{
	char *start = *s, *end;
	char quote = *start;

	if (quote == '"' || quote == '\'') {
		end = strchr(++start, quote);
		if (end == NULL ||
		    (end[1] != '\0' && !isspace((unsigned char)end[1])))
			return NULL;
		*end++ = '\0';
	} else {
		end = start;
		while (*end != '\0' && !isspace((unsigned char)*end))
			end++;
	}
	if (*end != '\0')
		*end++ = '\0';
	*s = end;
	return start;
}

/* settings_parse_words() of words that may be cut apart in place. */
static int
parse_words(struct settings *settings, char *words, unsigned int file,
    struct error *err)
{
	enum setting setting;
	char *s = words, *name, *value;
	size_t len;
	bool has_password = false;
	struct error why;

	for (;;) {
		while (isspace((unsigned char)*s))
			s++;
		if (*s == '\0')
			return 0;
		name = s;
		len = strcspn(name, "= \t");
		if (len == 0 || name[len] != '=')
			return error_set(err,
			    "expected words like port=2222 without blanks "
			    "around \"=\"; a value with blanks needs quotes");
		name[len] = '\0';
		setting = setting_find(name);
		if (setting == SETTING_COUNT)
			return has_password
			    ? error_set(err, "unknown setting after password")
			    : unknown_setting(name, err);
		has_password |= setting == SETTING_PASSWORD;
		s = name + len + 1;
		value = take_value(&s);
		if (value == NULL)
			return error_set(err,
			    "%s: the quotes are not closed before a blank "
			    "or the end",
			    setting_name(setting));
		if (settings_set(settings, setting, value, file, &why) == -1)
			return error_set(
			    err, "%s: %s", setting_name(setting), why.text);
	}
}

int
settings_parse_words(struct settings *settings, const char *words,
    unsigned int file, struct error *err)
{
	size_t len = strlen(words);
	char *copy = xmemdup(words, len + 1);
	int rc = parse_words(settings, copy, file, err);

	explicit_bzero(copy, len);
	free(copy);
	return rc;
}

enum setting
settings_conflict(const struct settings *a, const struct settings *b)
{
	unsigned int i;

	for (i = 0; i < SETTING_COUNT; i++) {
		if (a->value[i] != NULL && b->value[i] != NULL &&
		    a->file[i] == b->file[i] &&
		    strcmp(a->value[i], b->value[i]) != 0)
			break;
	}
	return (enum setting)i;
}
