/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/waves.h"

#include <string.h>

#define AMOUNT_MAX 100000000u

static int
amount_parse_part(
    const char *text, size_t len, struct amount *amount, struct error *err)
{
	size_t digits = strspn(text, "0123456789"), i;
	uint32_t value = 0;

	for (i = 0; i < digits && i < len && value <= AMOUNT_MAX; i++)
		value = 10 * value + (uint32_t)(text[i] - '0');
	amount->value = value;
	amount->is_percent = len > 0 && text[len - 1] == '%';
	if (digits == 0 || digits + amount->is_percent != len)
		return error_set(err,
		    "\"%.*s\" is neither a number of hosts nor a percentage",
		    (int)(len < 40 ? len : 40), text);
	if (value > (amount->is_percent ? 100 : AMOUNT_MAX))
		return error_set(err, "\"%.*s\" is too much",
		    (int)(len < 40 ? len : 40), text);
	return 0;
}

int
amount_parse(const char *text, struct amount *amount, struct error *err)
{
	return amount_parse_part(text, strlen(text), amount, err);
}

uint32_t
amount_rounded_up(struct amount amount, uint32_t total)
{
	if (!amount.is_percent)
		return amount.value;
	return (uint32_t)(((uint64_t)amount.value * total + 99) / 100);
}

uint32_t
amount_rounded_down(struct amount amount, uint32_t total)
{
	if (!amount.is_percent)
		return amount.value;
	return (uint32_t)((uint64_t)amount.value * total / 100);
}

int
waves_parse(const char *list, struct waves *waves, struct error *err)
{
	struct amount *size;
	size_t len;

	for (waves->count = 0;; list += len + 1) {
		if (waves->count == WAVES_MAX)
			return error_set(
			    err, "there are more than %u sizes", WAVES_MAX);
		len = strcspn(list, ",");
		size = &waves->sizes[waves->count++];
		if (amount_parse_part(list, len, size, err) == -1)
			return -1;
		if (size->value == 0)
			return error_set(err, "a batch of no hosts");
		if (list[len] == '\0')
			return 0;
	}
}

uint32_t
waves_size(const struct waves *waves, size_t wave, uint32_t total)
{
	if (waves->count == 0)
		return total;
	if (wave >= waves->count)
		wave = waves->count - 1;
	return amount_rounded_up(waves->sizes[wave], total);
}
