/* SPDX-License-Identifier: GPL-3.0-or-later */
/* agent: listing and signing with real, hostile and dead agents. */
#include "config.h"

#include "control/agent.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/xalloc.h"

/* A string literal with its length, NUL bytes and all. */
#define BYTES(s)                 \
	{                        \
		s, sizeof(s) - 1 \
	}

struct text {
	const char *data;
	size_t len;
};

/*
 * A fake agent: for each connection it reads the requests, then sends its
 * reply, then closes (or sleeps until it is killed).
 */
struct fake {
	pid_t pid;
	const char *path;
};

static int
listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void
read_request(int fd)
{
	uint8_t head[4], byte;
	uint32_t len = 0;
	struct cursor c = {head, 4};

	if (recv(fd, head, 4, MSG_WAITALL) != 4)
		_exit(1);
	cursor_get_u32(&c, &len);
	while (len-- > 0 && recv(fd, &byte, 1, 0) == 1)
		;
}

static struct fake
fake_start(int requests, const void *reply, size_t reply_len, bool closes)
{
	struct fake fake = {.path = "fake"};
	int fd = listen_at(fake.path), conn;

	fake.pid = fork();
	if (fake.pid == 0) {
		keys_die_with_parent();
		conn = accept(fd, NULL, NULL);
		while (requests-- > 0)
			read_request(conn);
		if (write(conn, reply, reply_len) == -1)
			_exit(1);
		if (closes)
			_exit(0);
		for (;;)
			pause();
	}
	close(fd);
	return fake;
}

static void
fake_stop(const struct fake *fake)
{
	kill(fake->pid, SIGKILL);
	assert_int_equal(waitpid(fake->pid, NULL, 0), fake->pid);
}

/* What signed_cb was told, in order. */
struct told {
	size_t count;
	uint64_t tickets[512];
	uint8_t *sigs[512];
	size_t lens[512];
	const char *whys[512];
};

static void
note(
    void *ctx, uint64_t ticket, const uint8_t *sig, size_t len, const char *why)
{
	struct told *told = ctx;

	assert_true(told->count < 512);
	/* One or the other. */
	assert_true((sig == NULL) == (why != NULL));
	told->tickets[told->count] = ticket;
	told->sigs[told->count] = sig != NULL ? xmemdup(sig, len) : NULL;
	told->lens[told->count] = len;
	told->whys[told->count++] = why;
}

static void
told_clear(struct told *told)
{
	while (told->count > 0)
		free(told->sigs[--told->count]);
}

/* Poll as the control loop does, until count calls were made. */
static void
wait_for(struct agent *agent, const struct told *told, size_t count)
{
	struct pollfd pfd;

	while (told->count < count) {
		pfd = (struct pollfd){
		    .fd = agent_fd(agent), .events = agent_events(agent)};
		assert_int_not_equal(pfd.fd, -1);
		assert_int_equal(poll(&pfd, 1, 10000), 1);
		agent_handle(agent);
	}
}

static void
test_nobody_at_the_socket(void **state)
{
	char path[300];
	struct error err;

	(void)state;
	assert_null(agent_connect("nothing", &err));
	assert_string_equal(err.text, "nothing: No such file or directory");
	close(listen_at("deaf"));
	assert_null(agent_connect("deaf", &err));
	assert_string_equal(err.text, "deaf: Connection refused");
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_null(agent_connect(path, &err));
	assert_non_null(strstr(err.text, "path too long"));
}

static void
test_full_backlog_is_given_up(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "full"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), first;
	struct agent *agents[4];
	uint64_t start;
	size_t i, count = 0;
	struct error err;

	(void)state;
	first = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	assert_int_equal(first, 0);
	assert_int_equal(listen(fd, 0), 0);
	start = clock_now_ms();
	for (i = 0; i < 4; i++) {
		agents[count] = agent_connect("full", &err);
		if (agents[count] == NULL)
			break;
		count++;
	}
	assert_true(count < 4);
	assert_true(clock_now_ms() - start < 5000);
	for (i = 0; i < count; i++)
		agent_free(agents[i]);
	close(fd);
}

static const struct {
	const char *type;
	const char *algorithm;
} kinds[] = {{"ed25519", "ssh-ed25519"}, {"ecdsa-256", "ecdsa-sha2-nistp256"},
    {"ecdsa-521", "ecdsa-sha2-nistp521"}, {"rsa-2048", "rsa-sha2-512"}};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static void
fill_data(char data[32], size_t i)
{
	memset(data, 0, 32);
	snprintf(data, 32, "request %zu", i);
}

static void
assert_lists(struct agent *agent, const struct agent_key **keys)
{
	struct error err;
	uint8_t *blob;
	size_t i, len;

	assert_int_equal(agent_list(agent, 5000, keys, &err), KIND_COUNT);
	for (i = 0; i < KIND_COUNT; i++) {
		blob = keys_blob(kinds[i].type, &len);
		assert_int_equal((*keys)[i].blob_len, len);
		assert_memory_equal((*keys)[i].blob, blob, len);
		assert_string_equal((*keys)[i].comment, "a key");
		free(blob);
	}
}

static void
ask_real(struct agent *agent, const struct agent_key *keys, size_t i,
    struct told *told)
{
	size_t kind = i % KIND_COUNT;
	char data[32];

	fill_data(data, i);
	agent_sign(agent, keys[kind].blob, keys[kind].blob_len, (uint8_t *)data,
	    sizeof(data), kinds[kind].algorithm, i, note, told);
}

static void
test_real_agent_lists_and_signs_in_order(void **state)
{
	const struct agent_key *keys;
	static struct told told;
	struct agent *agent;
	struct error err;
	char data[32];
	pid_t pid;
	size_t i;

	(void)state;
	pid = keys_agent_start("real");
	agent = agent_connect("real", &err);
	assert_int_equal(agent_list(agent, 5000, &keys, &err), 0);
	for (i = 0; i < KIND_COUNT; i++) {
		keys_make(kinds[i].type, kinds[i].type, "");
		keys_run("SSH_AUTH_SOCK=real ssh-add -q %s", kinds[i].type);
	}
	assert_lists(agent, &keys);
	for (i = 0; i < 400; i++)
		ask_real(agent, keys, i, &told);
	assert_int_equal(told.count, 0);
	wait_for(agent, &told, 400);
	for (i = 0; i < 400; i++) {
		assert_int_equal(told.tickets[i], i);
		fill_data(data, i);
		if (i % 37 < 4) /* some of each kind */
			assert_true(keys_verify(kinds[i % KIND_COUNT].type,
			    told.sigs[i], told.lens[i], data, sizeof(data)));
	}
	told_clear(&told);
	agent_free(agent);
	keys_agent_stop(pid);
	unlink("real");
}

static void
test_agent_that_dies_is_gone(void **state)
{
	const struct agent_key *keys;
	static struct told told;
	struct agent *agent;
	struct error err;
	pid_t pid;
	size_t i;

	(void)state;
	pid = keys_agent_start("real");
	for (i = 0; i < KIND_COUNT; i++)
		keys_run("SSH_AUTH_SOCK=real ssh-add -q %s", kinds[i].type);
	agent = agent_connect("real", &err);
	assert_lists(agent, &keys);
	keys_agent_stop(pid);
	ask_real(agent, keys, 0, &told);
	assert_int_equal(told.count, 0);
	wait_for(agent, &told, 1);
	assert_int_equal(agent_fd(agent), -1);
	ask_real(agent, keys, 1, &told);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.whys[0], "the agent is gone");
	assert_string_equal(told.whys[1], "the agent is gone");
	assert_int_equal(agent_list(agent, 5000, &keys, &err), -1);
	agent_free(agent);
}

static void
test_list_of_a_hostile_agent_is_refused(void **state)
{
	static const struct text replies[] = {
	    BYTES(""),
	    BYTES("\0\0\0"),
	    BYTES("garbage garbage garbage\n"),
	    /* empty, huge, over 256 KB */
	    BYTES("\0\0\0\0"),
	    BYTES("\xff\xff\xff\xff\x0c"),
	    BYTES("\0\4\0\1\x0c"),
	    /* refusal, another reply */
	    BYTES("\0\0\0\1\5"),
	    BYTES("\0\0\0\1\x0e"),
	    /* no count, no key, too many, a byte behind */
	    BYTES("\0\0\0\1\x0c"),
	    BYTES("\0\0\0\5\x0c\0\0\0\1"),
	    BYTES("\0\0\0\5\x0c\xff\xff\xff\xff"),
	    BYTES("\0\0\0\6\x0c\0\0\0\0x"),
	    /* a comment or a blob longer than the reply */
	    BYTES("\0\0\0\x0d\x0c\0\0\0\1\0\0\0\0\0\0\0\1"),
	    BYTES("\0\0\0\x0d\x0c\0\0\0\1\xff\xff\xff\xff\0\0\0\0"),
	};
	const struct agent_key *keys;
	struct agent *agent;
	struct error err;
	struct fake fake;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		fake = fake_start(1, replies[i].data, replies[i].len, true);
		agent = agent_connect("fake", &err);
		assert_non_null(agent);
		assert_int_equal(agent_list(agent, 5000, &keys, &err), -1);
		assert_int_equal(agent_fd(agent), -1);
		agent_free(agent);
		fake_stop(&fake);
	}
}

static void
test_comment_of_an_agent_is_made_printable(void **state)
{
	static const char reply[] = "\0\0\0\x15\x0c\0\0\0\1\0\0\0\1B"
				    "\0\0\0\7\033[1m\xc3\xa9x";
	const struct agent_key *keys;
	struct agent *agent;
	struct error err;
	struct fake fake;

	(void)state;
	fake = fake_start(1, reply, sizeof(reply) - 1, false);
	agent = agent_connect("fake", &err);
	assert_int_equal(agent_list(agent, 5000, &keys, &err), 1);
	assert_string_equal(keys[0].comment, "?[1m??x");
	agent_free(agent);
	fake_stop(&fake);
}

static void
test_silent_agent_is_given_up(void **state)
{
	/* Says nothing, or stops in the middle of its reply. */
	static const struct text replies[] = {
	    BYTES(""), BYTES("\0\0\0\5\x0c\0\0")};
	const struct agent_key *keys;
	struct agent *agent;
	uint64_t start, took;
	struct error err;
	struct fake fake;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake = fake_start(1, replies[i].data, replies[i].len, false);
		agent = agent_connect("fake", &err);
		start = clock_now_ms();
		assert_int_equal(agent_list(agent, 300, &keys, &err), -1);
		took = clock_now_ms() - start;
		assert_true(took >= 299 && took < 2000);
		assert_string_equal(err.text, "no answer within 1 s");
		assert_int_equal(agent_fd(agent), -1);
		agent_free(agent);
		fake_stop(&fake);
	}
	assert_true(AGENT_LIST_MS <= 5000);
}

/* A sign reply: string (string algorithm, string signature). */
static void
put_sign_reply(struct buf *b, const char *algorithm, const char *sig,
    size_t cut, size_t extra)
{
	struct buf whole;

	buf_init(&whole, 1024);
	buf_put_string(&whole, algorithm, strlen(algorithm));
	buf_put_string(&whole, sig, strlen(sig));
	buf_append(&whole, "extra", extra);
	buf_put_u32(b, (uint32_t)(1 + 4 + buf_len(&whole) - cut));
	buf_put_u8(b, 14);
	buf_put_string(b, buf_head(&whole), buf_len(&whole) - cut);
	buf_clear(&whole);
}

/* Ask for count signatures; returns what was told. */
static void
ask_fake(const struct buf *reply, size_t count, bool closes, struct told *told)
{
	struct agent *agent;
	struct error err;
	struct fake fake;
	size_t i;

	fake = fake_start((int)count, buf_head(reply), buf_len(reply), closes);
	agent = agent_connect("fake", &err);
	assert_non_null(agent);
	for (i = 0; i < count; i++)
		agent_sign(agent, (const uint8_t *)"key", 3,
		    (const uint8_t *)"data", 4, "rsa-sha2-512", i, note, told);
	wait_for(agent, told, count);
	for (i = 0; i < count; i++)
		assert_int_equal(told->tickets[i], i);
	agent_free(agent);
	fake_stop(&fake);
}

static void
test_bad_signature_concerns_its_own_request_only(void **state)
{
	static struct told told;
	struct buf reply;
	size_t i;

	(void)state;
	buf_init(&reply, 65536);
	put_sign_reply(&reply, "rsa-sha2-512", "first", 0, 0);
	buf_append(&reply, "\0\0\0\1\5", 5);
	put_sign_reply(&reply, "ssh-rsa", "SHA-1", 0, 0);
	put_sign_reply(&reply, "rsa-sha2-512", "", 0, 0);
	put_sign_reply(&reply, "rsa-sha2-512", "behind", 0, 2);
	for (i = 1; i <= 24; i++)
		put_sign_reply(&reply, "rsa-sha2-512", "last", i, 0);
	put_sign_reply(&reply, "rsa-sha2-512", "last", 0, 0);
	ask_fake(&reply, 30, false, &told);
	assert_int_equal(told.lens[0], 5);
	assert_memory_equal(told.sigs[0], "first", 5);
	assert_string_equal(told.whys[1], "the agent refused to sign");
	for (i = 2; i < 29; i++)
		assert_string_equal(
		    told.whys[i], "the agent's signature is of another kind");
	assert_int_equal(told.lens[29], 4);
	assert_memory_equal(told.sigs[29], "last", 4);
	told_clear(&told);
	buf_clear(&reply);
}

static void
test_agent_that_ends_in_the_middle_fails_all_that_wait(void **state)
{
	static struct told told;
	struct buf reply;
	size_t i, k, len;

	(void)state;
	buf_init(&reply, 65536);
	put_sign_reply(&reply, "rsa-sha2-512", "first", 0, 0);
	len = buf_len(&reply);
	put_sign_reply(&reply, "rsa-sha2-512", "second", 0, 0);
	/* Cut the second reply at every byte. */
	while (buf_len(&reply) > len) {
		reply.tail--;
		ask_fake(&reply, 3, true, &told);
		assert_int_equal(told.lens[0], 5);
		for (k = 1; k < 3; k++)
			assert_string_equal(told.whys[k], "the agent is gone");
		told_clear(&told);
	}
	/* An unknown reply, or a frame too long: nothing fits any more. */
	for (i = 0; i < 2; i++) {
		reply.tail = reply.head + len;
		buf_append(
		    &reply, i == 0 ? "\0\0\0\1\x63" : "\x7f\0\0\0\x0e", 5);
		ask_fake(&reply, 3, false, &told);
		assert_int_equal(told.lens[0], 5);
		for (k = 1; k < 3; k++)
			assert_string_equal(told.whys[k], "the agent is gone");
		told_clear(&told);
	}
	buf_clear(&reply);
}

static void
test_agent_that_does_not_read_never_blocks_us(void **state)
{
	static struct told told;
	static uint8_t data[200000];
	struct agent *agent;
	struct error err;
	struct fake fake;
	size_t i;

	(void)state;
	fake = fake_start(0, "", 0, false);
	agent = agent_connect("fake", &err);
	/* 20 MB: more than we keep for it. */
	for (i = 0; i < 100; i++) {
		agent_sign(agent, (const uint8_t *)"key", 3, data, sizeof(data),
		    "ssh-ed25519", i, note, &told);
		agent_handle(agent);
	}
	assert_true(told.count > 0 && told.count < 100);
	assert_string_equal(told.whys[0], "too much for the agent");
	assert_int_equal(agent_events(agent), POLLIN | POLLOUT);
	told_clear(&told);
	agent_free(agent);
	assert_int_equal(told.count, 0);
	fake_stop(&fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nobody_at_the_socket),
	    cmocka_unit_test(test_full_backlog_is_given_up),
	    cmocka_unit_test(test_real_agent_lists_and_signs_in_order),
	    cmocka_unit_test(test_agent_that_dies_is_gone),
	    cmocka_unit_test(test_list_of_a_hostile_agent_is_refused),
	    cmocka_unit_test(test_comment_of_an_agent_is_made_printable),
	    cmocka_unit_test(test_silent_agent_is_given_up),
	    cmocka_unit_test(test_bad_signature_concerns_its_own_request_only),
	    cmocka_unit_test(
		test_agent_that_ends_in_the_middle_fails_all_that_wait),
	    cmocka_unit_test(test_agent_that_does_not_read_never_blocks_us),
	};

	signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
	return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
