/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys come from three places: the user's agent, key files, and a private
 * agent for the encrypted files that the user's agent does not hold. All are
 * collected before the first connection. A file that was asked for is an
 * entry in a tree by path; an entry's list of identities is built when the
 * first host wants it, and is the same array for every later one.
 *
 * The worker that asks for a signature talks to strangers and may have been
 * taken over. So what it sends is checked to be nothing but a request to log
 * in as the job's user with the job's key, and the session to be one with the
 * job's host (host_proof.c): signing that gives it no more than the job would
 * have given it anyway.
 */
#include "config.h"

#include "control/signer.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define SSH_MSG_USERAUTH_REQUEST 50
/* The hash of the first key exchange: SHA-1 to SHA-512. */
#define SESSION_ID_MIN 20
#define SESSION_ID_MAX 64

static const char *const default_paths[] = {
    "~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"};
#define DEFAULT_COUNT (sizeof(default_paths) / sizeof(default_paths[0]))

/*
 * Identities in the order of their offer. They belong to others, but for the
 * last ones: the RSA keys once more, with the older algorithm.
 */
struct offer {
	bool is_built;
	struct identity **ids;
	size_t count;
	size_t first_own;
};

struct key_file {
	char *path;
	struct identity *id; /* NULL: not usable, err says why */
	bool is_absent;
	struct error err;
	struct offer offer;
};

struct signer {
	signer_done done;
	void *ctx;
	struct agent *agent;	     /* the user's; NULL: none */
	struct agent *private_agent; /* NULL: not needed so far */
	struct identity **agent_ids; /* keys of the user's agent */
	size_t agent_id_count;
	void *files; /* tsearch(3) tree of struct key_file */
	const struct key_file *defaults[DEFAULT_COUNT];
	size_t default_count;
	struct offer default_offer;
	struct offer agent_offer; /* for a path that was not added */
	size_t private_key_count;
};

/*
 * Start and end
 */

static int
list_agent(struct signer *s, struct error *err)
{
	const struct agent_key *keys;
	struct identity *id;
	ssize_t count, i;

	count = agent_list(s->agent, AGENT_LIST_MS, &keys, err);
	if (count == -1)
		return -1;
	s->agent_ids = xcalloc((size_t)count, sizeof(*s->agent_ids));
	for (i = 0; i < count; i++) {
		id = identity_from_agent(s->agent, &keys[i]);
		if (id != NULL)
			s->agent_ids[s->agent_id_count++] = id;
	}
	return 0;
}

struct signer *
signer_new(signer_done done, void *ctx)
{
	struct signer *s = xcalloc(1, sizeof(*s));
	const char *path = getenv("SSH_AUTH_SOCK");
	struct error err;

	s->done = done;
	s->ctx = ctx;
	if (path == NULL || path[0] == '\0')
		return s;
	s->agent = agent_connect(path, &err);
	if (s->agent == NULL || list_agent(s, &err) == -1)
		log_warn("ssh-agent ($SSH_AUTH_SOCK): %s", err.text);
	return s;
}

static void
offer_clear(struct offer *o)
{
	while (o->count > o->first_own)
		identity_free(o->ids[--o->count]);
	free(o->ids);
}

static void
key_file_free(void *node)
{
	struct key_file *f = node;

	identity_free(f->id);
	offer_clear(&f->offer);
	free(f->path);
	free(f);
}

void
signer_free(struct signer *s)
{
	size_t i;

	if (s == NULL)
		return;
	tdestroy(s->files, key_file_free);
	for (i = 0; i < s->agent_id_count; i++)
		identity_free(s->agent_ids[i]);
	free(s->agent_ids);
	offer_clear(&s->default_offer);
	offer_clear(&s->agent_offer);
	agent_free(s->agent);
	agent_free(s->private_agent);
	free(s);
}

/*
 * Key files
 */

/* The user's agent's key with that blob, or NULL. */
static struct identity *
find_in_agent(const struct signer *s, const struct identity *id)
{
	size_t i;

	for (i = 0; i < s->agent_id_count; i++) {
		if (identity_equal(s->agent_ids[i], id))
			return s->agent_ids[i];
	}
	return NULL;
}

/*
 * What the private agent holds after a file was added: the key with the
 * file's blob, or, if that was not known, the one that came last.
 */
static struct identity *
find_in_private_agent(
    struct signer *s, const struct identity *known, struct error *err)
{
	size_t i, first = known->blob != NULL ? 0 : s->private_key_count;
	const struct agent_key *keys;
	struct identity *id;
	ssize_t count;

	count = agent_list(s->private_agent, AGENT_LIST_MS, &keys, err);
	if (count == -1)
		return NULL;
	s->private_key_count = (size_t)count;
	for (i = (size_t)count; i-- > first;) {
		id = identity_from_agent(s->private_agent, &keys[i]);
		if (id != NULL &&
		    (known->blob == NULL || identity_equal(id, known)))
			return id;
		identity_free(id);
	}
	error_set(err, "%s",
	    known->blob == NULL ? "no new key that can be used"
				: "not the key of its public half (.pub)");
	return NULL;
}

/* Let ssh-add put the file into the private agent. NULL with err. */
static struct identity *
unlock(struct signer *s, const char *path, const struct identity *known,
    struct error *err)
{
	struct identity *id;
	struct error why;

	if (s->private_agent == NULL)
		s->private_agent = agent_private_new(&why);
	if (s->private_agent == NULL) {
		error_set(err,
		    "%s: encrypted, and no ssh-agent can be "
		    "started for it: %s",
		    path, why.text);
		return NULL;
	}
	if (agent_private_add(s->private_agent, path, err) == -1)
		return NULL;
	id = find_in_private_agent(s, known, &why);
	if (id == NULL) {
		error_set(err, "%s: unlocked, but %s", path, why.text);
		return NULL;
	}
	free(id->source);
	id->source = xstrdup(path);
	return id;
}

/* Read the file, and find out who can sign for it. Fills f->id or f->err. */
static void
load_file(struct signer *s, struct key_file *f, bool can_prompt)
{
	struct identity *read;
	enum identity_state state;

	state = identity_read_file(f->path, &read, &f->err);
	f->is_absent = state == IDENTITY_ABSENT;
	if (state == IDENTITY_OK) {
		f->id = read;
		return;
	}
	if (read == NULL)
		return;
	if (find_in_agent(s, read) != NULL) {
		/* As good as the file's own, from here on. */
		read->agent = s->agent;
		f->id = read;
		return;
	}
	if (state == IDENTITY_ENCRYPTED && can_prompt)
		f->id = unlock(s, f->path, read, &f->err);
	else if (state == IDENTITY_ENCRYPTED)
		error_set(&f->err,
		    "%s: encrypted, and there is no terminal "
		    "to ask for its passphrase (ssh-add it to an agent before)",
		    f->path);
	identity_free(read);
}

static int
compare_paths(const void *a, const void *b)
{
	const struct key_file *fa = a, *fb = b;

	return strcmp(fa->path, fb->path);
}

/* The entry of that path, or NULL. */
static struct key_file *
find_file(const struct signer *s, char *path)
{
	struct key_file key = {.path = path};
	struct key_file *const *node;

	node = tfind(&key, &s->files, compare_paths);
	return node != NULL ? *node : NULL;
}

static struct key_file *
add_file(struct signer *s, const char *path, bool can_prompt)
{
	char *copy = xstrdup(path);
	struct key_file *f = find_file(s, copy);

	if (f != NULL) {
		free(copy);
		return f;
	}
	f = xcalloc(1, sizeof(*f));
	f->path = copy;
	load_file(s, f, can_prompt);
	if (tsearch(f, &s->files, compare_paths) == NULL)
		fatal("out of memory (key files)");
	return f;
}

int
signer_add_file(
    struct signer *s, const char *path, bool can_prompt, struct error *err)
{
	const struct key_file *f = add_file(s, path, can_prompt);

	return f->id != NULL ? 0 : error_set(err, "%s", f->err.text);
}

void
signer_add_defaults(struct signer *s, bool can_prompt)
{
	struct key_file *f;
	char *path;
	size_t i;

	if (s->default_count > 0)
		return;
	for (i = 0; i < DEFAULT_COUNT; i++) {
		path = path_expand_home(default_paths[i]);
		f = add_file(s, path, can_prompt);
		free(path);
		if (f->id != NULL)
			s->defaults[s->default_count++] = f;
		else if (!f->is_absent)
			log_warn("%s", f->err.text);
	}
}

void
signer_seal(struct signer *s)
{
	if (s->private_agent != NULL)
		agent_private_seal(s->private_agent);
}

/*
 * What to offer
 */

static void
append(struct offer *o, struct identity *id)
{
	size_t i;

	for (i = 0; i < o->count; i++) {
		if (identity_equal(o->ids[i], id))
			return;
	}
	o->ids[o->count++] = id;
}

static void
build_offer(const struct signer *s, struct offer *o,
    const struct key_file *const *files, size_t file_count)
{
	struct identity *id;
	size_t i;

	o->ids = xcalloc(2 * (s->agent_id_count + file_count), sizeof(*o->ids));
	for (i = 0; i < file_count; i++) {
		if (find_in_agent(s, files[i]->id) != NULL)
			append(o, files[i]->id);
	}
	for (i = 0; i < s->agent_id_count; i++)
		append(o, s->agent_ids[i]);
	for (i = 0; i < file_count; i++)
		append(o, files[i]->id);
	o->first_own = o->count;
	for (i = 0; i < o->first_own; i++) {
		id = identity_rsa_sha256(o->ids[i]);
		if (id != NULL)
			o->ids[o->count++] = id;
	}
	o->is_built = true;
}

size_t
signer_identities(
    struct signer *s, const char *identity_path, struct identity *const **ids)
{
	struct offer *o = &s->agent_offer;
	const struct key_file *const *files = NULL;
	const struct key_file *one;
	struct key_file *f;
	size_t count = 0;
	char *path;

	if (identity_path == NULL) {
		o = &s->default_offer;
		files = s->defaults;
		count = s->default_count;
	} else {
		path = xstrdup(identity_path);
		f = find_file(s, path);
		free(path);
		if (f != NULL && f->id != NULL) {
			o = &f->offer;
			one = f;
			files = &one;
			count = 1;
		}
	}
	if (!o->is_built)
		build_offer(s, o, files, count);
	*ids = o->ids;
	return o->count;
}

/*
 * Signatures
 */

static bool
next_is(struct cursor *c, const void *want, size_t want_len)
{
	const uint8_t *p;
	size_t len;

	return cursor_get_string(c, &p, &len) == 0 && len == want_len &&
	    memcmp(p, want, len) == 0;
}

static bool
next_is_text(struct cursor *c, const char *want)
{
	return next_is(c, want, strlen(want));
}

static bool
next_is_byte(struct cursor *c, uint8_t want)
{
	uint8_t v;

	return cursor_get_u8(c, &v) == 0 && v == want;
}

int
signer_check_request(const struct identity *id, const char *user,
    const uint8_t *request, size_t request_len, struct error *err)
{
	struct cursor c = {request, request_len};
	const uint8_t *session_id;
	const char *what = NULL;
	size_t len;

	if (id->blob == NULL)
		what = "key";
	else if (cursor_get_string(&c, &session_id, &len) == -1 ||
	    len < SESSION_ID_MIN || len > SESSION_ID_MAX)
		what = "session id";
	else if (!next_is_byte(&c, SSH_MSG_USERAUTH_REQUEST))
		what = "message type";
	else if (!next_is_text(&c, user))
		what = "user";
	else if (!next_is_text(&c, "ssh-connection"))
		what = "service";
	else if (!next_is_text(&c, "publickey") || !next_is_byte(&c, 1))
		what = "method";
	else if (!next_is_text(&c, id->algorithm))
		what = "algorithm";
	else if (!next_is(&c, id->blob, id->blob_len))
		what = "public key";
	else if (c.left != 0)
		what = "end";
	if (what == NULL)
		return 0;
	return error_set(err,
	    "refused to sign: not the job's "
	    "authentication request (%s)",
	    what);
}

int
signer_request(struct signer *s, const struct identity *id, const char *user,
    const uint8_t *request, size_t request_len, uint64_t ticket,
    struct error *err)
{
	struct error why;
	uint8_t *sig;
	size_t len;

	if (signer_check_request(id, user, request, request_len, err) == -1)
		return -1;
	if (id->agent != NULL) {
		agent_sign(id->agent, id->blob, id->blob_len, request,
		    request_len, id->algorithm, ticket, s->done, s->ctx);
	} else if (identity_sign(id, request, request_len, &sig, &len, &why) ==
	    -1) {
		s->done(s->ctx, ticket, NULL, 0, why.text);
	} else {
		s->done(s->ctx, ticket, sig, len, NULL);
		free(sig);
	}
	return 0;
}

size_t
signer_poll(struct signer *s, struct pollfd *fds, size_t max)
{
	struct agent *agents[] = {s->agent, s->private_agent};
	size_t i, count = 0;

	for (i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		if (count == max || agents[i] == NULL ||
		    agent_fd(agents[i]) == -1)
			continue;
		fds[count++] = (struct pollfd){.fd = agent_fd(agents[i]),
		    .events = agent_events(agents[i])};
	}
	return count;
}

void
signer_handle(struct signer *s, const struct pollfd *fds, size_t count)
{
	struct agent *agents[] = {s->agent, s->private_agent};
	size_t i, k;

	for (k = 0; k < count; k++) {
		if (fds[k].revents == 0)
			continue;
		for (i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
			if (agents[i] != NULL &&
			    agent_fd(agents[i]) == fds[k].fd)
				agent_handle(agents[i]);
		}
	}
}
