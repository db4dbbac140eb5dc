/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/xalloc.h"

static char folder[64];

int
keys_setup(void **state)
{
	const char *base = getenv("TMPDIR");

	*state = NULL;
	/* Short, for sockets go there. */
	snprintf(folder, sizeof(folder), "%s/keys.XXXXXX",
	    base != NULL && strlen(base) < 32 ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) == -1)
		return -1;
	unsetenv("SSH_AUTH_SOCK");
	unsetenv("SSH_ASKPASS");
	unsetenv("XDG_RUNTIME_DIR");
	return 0;
}

int
keys_teardown(void **state)
{
	*state = NULL;
	if (chdir("/") == -1)
		return -1;
	keys_run("rm -rf %s", folder);
	return 0;
}

void
keys_run(const char *fmt, ...)
{
	char command[1024], quiet[1100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(quiet, sizeof(quiet), "{ %s; } >/dev/null 2>&1 </dev/null",
	    command);
	if (system(quiet) != 0)
		fail_msg("%s", command);
}

void
keys_make(const char *name, const char *type, const char *passphrase)
{
	const char *dash = strchr(type, '-');

	if (dash == NULL)
		keys_run("rm -f %s; ssh-keygen -q -t %s -N '%s' -C 'a key' "
			 "-f %s",
		    name, type, passphrase, name);
	else
		keys_run("rm -f %s; ssh-keygen -q -t %.*s -b %s -N '%s' "
			 "-C 'a key' -f %s",
		    name, (int)(dash - type), type, dash + 1, passphrase, name);
}

void
keys_write(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

char *
keys_read(const char *name, size_t *len)
{
	char *text = file_read(name, 1 << 20, len, NULL);

	assert_non_null(text);
	return text;
}

uint8_t *
keys_blob(const char *name, size_t *len)
{
	char *path = xasprintf("%s.pub", name), *text, *base64, *end;
	size_t text_len, base64_len;
	uint8_t *blob;
	int n;

	text = keys_read(path, &text_len);
	base64 = strchr(text, ' ') + 1;
	end = strpbrk(base64, " \n");
	base64_len = (size_t)(end - base64);
	blob = xmalloc(base64_len);
	n = EVP_DecodeBlock(blob, (uint8_t *)base64, (int)base64_len);
	assert_true(n > 0);
	for (; end[-1] == '='; end--)
		n--;
	*len = (size_t)n;
	free(text);
	free(path);
	return blob;
}

static EVP_PKEY *
public_key(const char *name)
{
	EVP_PKEY *key = NULL;
	uint8_t *blob;
	size_t len;
	FILE *fp;

	blob = keys_blob(name, &len);
	if (memcmp(blob + 4, "ssh-ed25519", 11) == 0)
		key = EVP_PKEY_new_raw_public_key(
		    EVP_PKEY_ED25519, NULL, blob + len - 32, 32);
	else {
		keys_run("ssh-keygen -e -m PKCS8 -f %s.pub >public.pem", name);
		fp = fopen("public.pem", "r");
		assert_non_null(fp);
		key = PEM_read_PUBKEY(fp, NULL, NULL, NULL);
		fclose(fp);
	}
	free(blob);
	assert_non_null(key);
	return key;
}

/* mpint r, mpint s into DER. */
static size_t
der_from_ecdsa(uint8_t *der, const uint8_t *sig, size_t sig_len)
{
	struct cursor c = {sig, sig_len};
	ECDSA_SIG *ecdsa = ECDSA_SIG_new();
	const uint8_t *r, *s;
	size_t r_len, s_len;
	int len;

	assert_int_equal(cursor_get_string(&c, &r, &r_len), 0);
	assert_int_equal(cursor_get_string(&c, &s, &s_len), 0);
	assert_int_equal(c.left, 0);
	/* Positive, and no byte more than it takes. */
	assert_true(r_len > 0 && (r[0] & 0x80) == 0);
	assert_true(r[0] != 0 || (r[1] & 0x80) != 0);
	assert_true(s_len > 0 && (s[0] & 0x80) == 0);
	assert_true(s[0] != 0 || (s[1] & 0x80) != 0);
	ECDSA_SIG_set0(ecdsa, BN_bin2bn(r, (int)r_len, NULL),
	    BN_bin2bn(s, (int)s_len, NULL));
	len = i2d_ECDSA_SIG(ecdsa, &der);
	ECDSA_SIG_free(ecdsa);
	assert_true(len > 0);
	return (size_t)len;
}

bool
keys_verify(const char *name, const uint8_t *sig, size_t sig_len,
    const void *data, size_t data_len)
{
	return keys_verify_with(NULL, name, sig, sig_len, data, data_len);
}

bool
keys_verify_with(const char *rsa_digest, const char *name, const uint8_t *sig,
    size_t sig_len, const void *data, size_t data_len)
{
	EVP_PKEY *key = public_key(name);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *digest = NULL;
	uint8_t der[256];
	int bits = EVP_PKEY_get_bits(key);
	bool ok;

	if (EVP_PKEY_is_a(key, "EC")) {
		digest = bits == 256 ? "SHA256"
		    : bits == 384    ? "SHA384"
				     : "SHA512";
		sig_len = der_from_ecdsa(der, sig, sig_len);
		sig = der;
	} else if (EVP_PKEY_is_a(key, "RSA"))
		digest = rsa_digest != NULL ? rsa_digest : "SHA512";
	assert_int_equal(
	    EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL),
	    1);
	ok = EVP_DigestVerify(ctx, sig, sig_len, data, data_len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

void
keys_die_with_parent(void)
{
	/* ssh-agent is set-group-ID, which would undo the second. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(1);
}

/* The file is there before anyone listens: only a connection proves it. */
static bool
is_listening(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

pid_t
keys_agent_start(const char *path)
{
	pid_t pid = fork();
	int tries;

	if (pid == 0) {
		keys_die_with_parent();
		if (freopen("/dev/null", "r+", stdout) == NULL)
			_exit(1);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", path, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	for (tries = 0; tries < 1000 && !is_listening(path); tries++)
		usleep(5000);
	assert_true(tries < 1000);
	return pid;
}

void
keys_agent_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}
