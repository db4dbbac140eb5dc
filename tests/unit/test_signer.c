/* SPDX-License-Identifier: GPL-3.0-or-later */
/* signer: which keys are offered, and what is signed with them. */
#include "config.h"

#include "control/signer.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/xalloc.h"

/* The fields of a request; NULL and 0 stand for what is right. */
struct request {
	const char *what;
	size_t session_len; /* 0: 32 */
	uint8_t type;
	const char *user;
	const char *service;
	const char *method;
	uint8_t flag; /* 0: 1; 255: 0 */
	const char *algorithm;
	const char *key; /* another key's blob */
	size_t extra;
	bool is_good;
};

static const struct request requests[] = {
    {.what = "right", .is_good = true},
    {.what = "shortest session id", .session_len = 20, .is_good = true},
    {.what = "longest session id", .session_len = 64, .is_good = true},
    {.what = "short session id", .session_len = 19},
    {.what = "long session id", .session_len = 65},
    {.what = "another message", .type = 51},
    {.what = "service request", .type = 5},
    {.what = "another user", .user = "root"},
    {.what = "longer user", .user = "deploy2"},
    {.what = "shorter user", .user = "deplo"},
    {.what = "empty user", .user = ""},
    {.what = "another service", .service = "ssh-userauth"},
    {.what = "empty service", .service = ""},
    {.what = "hostbased", .method = "hostbased"},
    {.what = "host-bound", .method = "publickey-hostbound-v00@openssh.com"},
    {.what = "flag FALSE", .flag = 255},
    {.what = "flag 2", .flag = 2},
    {.what = "SHA-1", .algorithm = "ssh-rsa"},
    {.what = "SHA-256", .algorithm = "rsa-sha2-256"},
    {.what = "another algorithm", .algorithm = "ssh-dss"},
    {.what = "another key", .key = "other"},
    {.what = "a byte behind", .extra = 1},
    {.what = "a request behind", .extra = 100},
};

static void
put_text(struct buf *b, const char *text, const char *otherwise)
{
	const char *s = text != NULL ? text : otherwise;

	buf_put_string(b, s, strlen(s));
}

static void
build_request(struct buf *b, const struct identity *id, const struct request *r)
{
	static const uint8_t zeros[128];
	uint8_t *blob;
	size_t len;

	buf_put_string(b, zeros, r->session_len != 0 ? r->session_len : 32);
	buf_put_u8(b, r->type != 0 ? r->type : 50);
	put_text(b, r->user, "deploy");
	put_text(b, r->service, "ssh-connection");
	put_text(b, r->method, "publickey");
	buf_put_u8(b, r->flag == 0 ? 1 : r->flag == 255 ? 0 : r->flag);
	put_text(b, r->algorithm, id->algorithm);
	blob = r->key != NULL ? keys_blob(r->key, &len)
			      : xmemdup(id->blob, len = id->blob_len);
	buf_put_string(b, blob, len);
	free(blob);
	buf_append(b, zeros, r->extra);
}

static struct identity *
load(const char *name)
{
	struct identity *id;
	struct error err;

	assert_int_equal(identity_read_file(name, &id, &err), IDENTITY_OK);
	return id;
}

static void
test_only_the_jobs_own_request_is_signed(void **state)
{
	struct identity *id = load("rsa-2048");
	struct error err;
	struct buf b;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		buf_init(&b, 4096);
		build_request(&b, id, &requests[i]);
		rc = signer_check_request(
		    id, "deploy", buf_head(&b), buf_len(&b), &err);
		if (rc != (requests[i].is_good ? 0 : -1))
			fail_msg("%s: %d", requests[i].what, rc);
		buf_clear(&b);
	}
	identity_free(id);
}

static void
test_request_cut_at_every_byte_is_refused(void **state)
{
	static const char *const names[] = {"rsa-2048", "ed25519", "ecdsa-256"};
	struct identity *id;
	struct error err;
	uint8_t *cut;
	struct buf b;
	size_t i, k;

	(void)state;
	for (i = 0; i < 3; i++) {
		id = load(names[i]);
		buf_init(&b, 4096);
		build_request(&b, id, &requests[0]);
		for (k = 0; k <= buf_len(&b); k++) {
			cut = xmemdup(buf_head(&b), k);
			assert_int_equal(
			    signer_check_request(id, "deploy", cut, k, &err),
			    k == buf_len(&b) ? 0 : -1);
			free(cut);
		}
		/* Any changed byte behind the session id. */
		for (k = 4 + 32; k < buf_len(&b); k++) {
			buf_head(&b)[k] ^= 0x20;
			assert_int_equal(signer_check_request(id, "deploy",
					     buf_head(&b), buf_len(&b), &err),
			    -1);
			buf_head(&b)[k] ^= 0x20;
		}
		buf_clear(&b);
		identity_free(id);
	}
}

/* What done() was told last. */
struct told {
	int count;
	uint64_t ticket;
	uint8_t *sig;
	size_t len;
	char why[200];
};

static void
note(
    void *ctx, uint64_t ticket, const uint8_t *sig, size_t len, const char *why)
{
	struct told *told = ctx;

	told->count++;
	told->ticket = ticket;
	free(told->sig);
	told->sig = sig != NULL ? xmemdup(sig, len) : NULL;
	told->len = len;
	snprintf(told->why, sizeof(told->why), "%s", why != NULL ? why : "");
}

/* Ask, and go round as the control loop does. */
static void
ask(struct signer *s, const struct identity *id, struct told *told,
    struct buf *b)
{
	struct pollfd fds[4];
	int before = told->count;
	struct error err;
	size_t count;

	buf_init(b, 4096);
	build_request(b, id, &requests[0]);
	assert_int_equal(
	    signer_request(s, id, "deploy", buf_head(b), buf_len(b), 77, &err),
	    0);
	while (told->count == before) {
		count = signer_poll(s, fds, 4);
		assert_true(count > 0);
		assert_true(poll(fds, (nfds_t)count, 10000) > 0);
		signer_handle(s, fds, count);
	}
	assert_int_equal(told->count, before + 1);
	assert_int_equal(told->ticket, 77);
}

/* The request, of user deploy, is not taken for one of that user. */
static void
assert_refused(struct signer *s, const struct identity *id, const char *user,
    const struct told *told)
{
	int before = told->count;
	struct error err;
	struct buf b;

	buf_init(&b, 4096);
	build_request(&b, id, &requests[0]);
	assert_int_equal(
	    signer_request(s, id, user, buf_head(&b), buf_len(&b), 77, &err),
	    -1);
	assert_int_equal(told->count, before);
	assert_string_equal(err.text,
	    "refused to sign: not the job's authentication request (user)");
	buf_clear(&b);
}

static void
assert_offers(struct signer *s, const char *path, const char *const names[])
{
	struct identity *const *ids, *const *again;
	size_t count = signer_identities(s, path, &ids), i, k, len;
	uint8_t *blob;

	for (i = 0; names[i] != NULL; i++) {
		assert_true(i < count);
		blob = keys_blob(names[i], &len);
		if (ids[i]->blob_len != len ||
		    memcmp(ids[i]->blob, blob, len) != 0)
			fail_msg(
			    "%zu: %s is not %s", i, ids[i]->source, names[i]);
		free(blob);
	}
	/* RSA keys once more, with the older algorithm. */
	for (k = 0; names[k] != NULL; k++) {
		if (strcmp(ids[k]->algorithm, "rsa-sha2-512") != 0)
			continue;
		assert_true(i < count);
		assert_string_equal(ids[i]->algorithm, "rsa-sha2-256");
		assert_true(identity_equal(ids[i++], ids[k]));
	}
	assert_int_equal(count, i);
	assert_int_equal(signer_identities(s, path, &again), count);
	assert_ptr_equal(ids, again);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
add(struct signer *s, const char *path)
{
	struct error err;

	if (signer_add_file(s, path, false, &err) == -1)
		fail_msg("%s", err.text);
}

static void
test_without_an_agent_the_files_are_offered(void **state)
{
	struct signer *s = signer_new(note, NULL);
	struct identity *const *ids;
	struct error err;
	struct pollfd fds[2];

	(void)state;
	add(s, "ed25519");
	add(s, "rsa-2048");
	assert_offers(s, "ed25519", NAMES("ed25519"));
	assert_offers(s, "rsa-2048", NAMES("rsa-2048"));
	assert_int_equal(signer_identities(s, "never added", &ids), 0);
	assert_int_equal(signer_identities(s, NULL, &ids), 0);
	assert_int_equal(signer_poll(s, fds, 2), 0);
	assert_int_equal(signer_add_file(s, "nothing", false, &err), -1);
	assert_string_equal(err.text, "nothing: No such file or directory");
	assert_int_equal(signer_add_file(s, "nothing", false, &err), -1);
	assert_string_equal(err.text, "nothing: No such file or directory");
	assert_int_equal(signer_add_file(s, "other.pub", false, &err), -1);
	assert_non_null(strstr(err.text, "other.pub: a public key"));
	assert_int_equal(signer_add_file(s, "locked", false, &err), -1);
	assert_string_equal(err.text,
	    "locked: encrypted, and there is no "
	    "terminal to ask for its passphrase (ssh-add it to an agent "
	    "before)");
	signer_free(s);
}

static void
test_files_are_read_once(void **state)
{
	struct signer *s = signer_new(note, NULL);

	(void)state;
	keys_run("cp ed25519 once");
	add(s, "once");
	keys_run("rm once");
	add(s, "once");
	assert_offers(s, "once", NAMES("ed25519"));
	signer_free(s);
}

static void
test_keys_of_the_agent_come_first_and_none_twice(void **state)
{
	pid_t pid = keys_agent_start("sock");
	struct identity *const *ids;
	struct signer *s;

	(void)state;
	/* In this order: other, ed25519, locked. */
	keys_run("SSH_AUTH_SOCK=sock ssh-add -q other ed25519 unlocked");
	setenv("SSH_AUTH_SOCK", "sock", 1);
	s = signer_new(note, NULL);
	add(s, "ed25519");
	add(s, "rsa-2048");
	add(s, "locked");
	add(s, "ed25519.pub");
	keys_run("cp other.pub only.pub");
	add(s, "only");
	assert_offers(s, "ed25519", NAMES("ed25519", "other", "locked"));
	assert_offers(s, "ed25519.pub", NAMES("ed25519", "other", "locked"));
	assert_offers(s, "locked", NAMES("locked", "other", "ed25519"));
	assert_offers(s, "only", NAMES("other", "ed25519", "locked"));
	assert_offers(
	    s, "rsa-2048", NAMES("other", "ed25519", "locked", "rsa-2048"));
	assert_offers(s, "never added", NAMES("other", "ed25519", "locked"));
	/* The file's copy signs, where there is one. */
	signer_identities(s, "ed25519", &ids);
	assert_non_null(ids[0]->private_key);
	signer_identities(s, "ed25519.pub", &ids);
	assert_non_null(ids[0]->agent);
	signer_free(s);
	unsetenv("SSH_AUTH_SOCK");
	keys_agent_stop(pid);
	unlink("sock");
}

static void
test_default_files_are_sshs_own(void **state)
{
	pid_t pid = keys_agent_start("sock");
	struct signer *s;
	char home[128];

	(void)state;
	assert_non_null(getcwd(home, sizeof(home)));
	keys_run("mkdir .ssh; cp ed25519 .ssh/id_ed25519; "
		 "cp rsa-2048 .ssh/id_rsa; cp locked .ssh/id_ecdsa");
	setenv("HOME", home, 1);
	s = signer_new(note, NULL);
	log_set_quiet(true);
	signer_add_defaults(s, false);
	assert_offers(s, NULL, NAMES("rsa-2048", "ed25519"));
	signer_free(s);

	keys_run("SSH_AUTH_SOCK=sock ssh-add -q other ed25519");
	setenv("SSH_AUTH_SOCK", "sock", 1);
	s = signer_new(note, NULL);
	signer_add_defaults(s, false);
	signer_add_defaults(s, false);
	assert_offers(s, NULL, NAMES("ed25519", "other", "rsa-2048"));
	signer_free(s);
	log_set_quiet(false);
	unsetenv("SSH_AUTH_SOCK");
	keys_agent_stop(pid);
	unlink("sock");
}

static void
test_files_and_agents_sign_requests(void **state)
{
	pid_t pid = keys_agent_start("sock");
	static const char *const names[] = {
	    "ed25519", "rsa-2048", "ecdsa-256", "other"};
	struct identity *const *ids;
	struct told told = {.count = 0};
	struct signer *s;
	struct buf b;
	size_t i, k, count;
	char path[32];

	(void)state;
	keys_run("SSH_AUTH_SOCK=sock ssh-add -q %s %s %s %s", names[0],
	    names[1], names[2], names[3]);
	setenv("SSH_AUTH_SOCK", "sock", 1);
	s = signer_new(note, &told);
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 2; k++) {
			snprintf(path, sizeof(path), "%s%s", names[i],
			    k == 0 ? "" : ".pub");
			add(s, path);
			count = signer_identities(s, path, &ids);
			assert_true(count > 4);
			assert_true((ids[0]->agent == NULL) == (k == 0));
			ask(s, ids[0], &told, &b);
			assert_true(keys_verify(names[i], told.sig, told.len,
			    buf_head(&b), buf_len(&b)));
			buf_clear(&b);
			if (strcmp(ids[0]->algorithm, "rsa-sha2-512") == 0) {
				assert_true(identity_equal(ids[4], ids[0]));
				ask(s, ids[4], &told, &b);
				assert_true(keys_verify_with("SHA256", names[i],
				    told.sig, told.len, buf_head(&b),
				    buf_len(&b)));
				buf_clear(&b);
			}
			assert_refused(s, ids[0], "root", &told);
		}
	}
	keys_agent_stop(pid);
	ask(s, ids[0], &told, &b);
	assert_null(told.sig);
	assert_string_equal(told.why, "the agent is gone");
	buf_clear(&b);
	signer_free(s);
	free(told.sig);
	unsetenv("SSH_AUTH_SOCK");
}

static void
test_agent_that_is_not_there_is_only_a_warning(void **state)
{
	struct signer *s;

	(void)state;
	log_set_quiet(true);
	setenv("SSH_AUTH_SOCK", "/nonexistent/socket", 1);
	s = signer_new(note, NULL);
	add(s, "ed25519");
	assert_offers(s, "ed25519", NAMES("ed25519"));
	signer_free(s);
	log_set_quiet(false);
	unsetenv("SSH_AUTH_SOCK");
}

static void
test_thousands_of_paths_are_looked_up_quickly(void **state)
{
	struct signer *s = signer_new(note, NULL);
	struct identity *const *ids;
	struct error err;
	char path[32];
	int i;

	(void)state;
	add(s, "ed25519");
	for (i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "absent-%d", i);
		assert_int_equal(signer_add_file(s, path, false, &err), -1);
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(signer_identities(s, "ed25519", &ids), 1);
	signer_free(s);
}

static int
make_keys(void **state)
{
	if (keys_setup(state) == -1)
		return -1;
	keys_make("ed25519", "ed25519", "");
	keys_make("rsa-2048", "rsa-2048", "");
	keys_make("ecdsa-256", "ecdsa-256", "");
	keys_make("other", "ed25519", "");
	keys_make("unlocked", "ecdsa-384", "");
	keys_run("cp unlocked locked; cp unlocked.pub locked.pub; "
		 "ssh-keygen -q -p -P '' -N secret -f locked");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_the_jobs_own_request_is_signed),
	    cmocka_unit_test(test_request_cut_at_every_byte_is_refused),
	    cmocka_unit_test(test_without_an_agent_the_files_are_offered),
	    cmocka_unit_test(test_files_are_read_once),
	    cmocka_unit_test(test_keys_of_the_agent_come_first_and_none_twice),
	    cmocka_unit_test(test_default_files_are_sshs_own),
	    cmocka_unit_test(test_files_and_agents_sign_requests),
	    cmocka_unit_test(test_agent_that_is_not_there_is_only_a_warning),
	    cmocka_unit_test(test_thousands_of_paths_are_looked_up_quickly),
	};

	signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
	return cmocka_run_group_tests(tests, make_keys, keys_teardown);
}
