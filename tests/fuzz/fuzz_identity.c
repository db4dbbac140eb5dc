/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Identity files: what is taken for a private key signs, and every key that
 * comes out is one that can be offered. The input is the file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "control/identity.h"
#include "control/pubkey.h"

static void
check_signature(const struct identity *id)
{
	static const uint8_t request[] = "what is to be signed";
	struct error err = {""};
	uint8_t *sig;
	size_t len;

	FUZZ_CHECK(
	    identity_sign(id, request, sizeof(request), &sig, &len, &err) == 0);
	FUZZ_CHECK(len > 0);
	free(sig);
}

static void
check_blob(const struct identity *id)
{
	const struct pubkey_type *type;

	FUZZ_CHECK((id->blob == NULL) == (id->algorithm == NULL));
	if (id->blob == NULL)
		return;
	type = pubkey_check(id->blob, id->blob_len, NULL);
	FUZZ_CHECK(type != NULL);
	FUZZ_CHECK(strcmp(type->algorithm, id->algorithm) == 0);
}

static void
check_identity(enum identity_state state, const struct identity *id)
{
	struct identity *older;

	FUZZ_CHECK(id->agent == NULL);
	FUZZ_CHECK((id->private_key != NULL) == (state == IDENTITY_OK));
	FUZZ_CHECK(id->blob != NULL || state == IDENTITY_ENCRYPTED);
	check_blob(id);
	if (state != IDENTITY_OK)
		return;
	check_signature(id);
	older = identity_rsa_sha256(id);
	FUZZ_CHECK((older != NULL) == (strncmp(id->algorithm, "rsa", 3) == 0));
	if (older != NULL)
		check_signature(older);
	identity_free(older);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity *id;
	enum identity_state state;
	struct error err = {""};
	struct fuzz_file file;

	fuzz_file_open(&file, data, size);
	state = identity_read_file(file.path, &id, &err);
	FUZZ_CHECK(state != IDENTITY_ABSENT);
	FUZZ_CHECK((id == NULL) == (state == IDENTITY_BAD));
	FUZZ_CHECK(state == IDENTITY_OK || state == IDENTITY_ENCRYPTED ||
	    err.text[0] != '\0');
	if (id != NULL)
		check_identity(state, id);
	identity_free(id);
	fuzz_file_close(&file);
	return 0;
}
