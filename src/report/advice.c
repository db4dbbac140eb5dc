/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/advice.h"

#include <stdlib.h>

void
advice_free(struct advice *a)
{
	if (a == NULL)
		return;
	free(a->reason);
	free(a->text);
	free(a->command);
	free(a->address);
	free(a);
}
