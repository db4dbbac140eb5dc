/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inventory: its format, precedence, errors, and choosing from it. */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/inventory.h"
#include "inventory/select.h"
#include "inventory/settings.h"
#include "util/buf.h"

static char dir[512]; /* of this run's files */

/* --- helpers ------------------------------------------------------------ */

static void
path_of(const char *name, char *path, size_t size)
{
	assert_true(snprintf(path, size, "%s/%s", dir, name) < (int)size);
}

static void
write_bytes(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[600];
	FILE *f;

	path_of(name, path, sizeof(path));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Load text as the file "ini". NULL with err filled if it is refused. */
static struct inventory *
load(const char *text, struct error *err)
{
	struct inventory *inv = inventory_new();
	char path[600];

	write_bytes("ini", text, strlen(text), 0600);
	path_of("ini", path, sizeof(path));
	if (inventory_load(inv, path, err) == 0 &&
	    inventory_finish(inv, err) == 0)
		return inv;
	inventory_free(inv);
	return NULL;
}

static const char *
login(void)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *name = pw != NULL ? pw->pw_name : getenv("USER");

	return name != NULL ? name : "";
}

static void
describe_value(struct buf *b, const char *name, const char *value)
{
	if (value != NULL)
		assert_int_equal(buf_printf(b, " %s=%s", name, value), 0);
}

/* "web1 ME@web1:22 in=a,b password=x"; ME is who runs the test. */
static void
describe(struct buf *b, const struct host *h)
{
	buf_printf(b, "%s %s@%s:%u", h->name,
	    strcmp(h->user, login()) == 0 ? "ME" : h->user, h->address,
	    h->port);
	if (h->groups[0] != '\0')
		describe_value(b, "in", h->groups);
	describe_value(b, "password", h->password);
	describe_value(b, "password_file", h->password_file);
	describe_value(b, "password_env", h->password_env);
	describe_value(b, "identity_file", h->identity_file);
	describe_value(b, "alias", h->host_key_alias);
	if (h->connect_timeout_ms != 10000)
		buf_printf(b, " connect=%u", h->connect_timeout_ms);
	if (h->timeout_ms != 0)
		buf_printf(b, " timeout=%u", h->timeout_ms);
	if (h->is_ad_hoc)
		buf_puts(b, " ad hoc");
}

/* The chosen hosts, described, "; " between. NULL with err. Caller frees. */
static char *
choose(const struct inventory *inv, const struct choice *choices, size_t count,
    const struct host_overrides *overrides, struct error *err)
{
	struct hostset *names =
	    select_names(inv, NULL, NULL, choices, count, NULL, err);
	struct host *hosts;
	struct buf b;
	char *text = NULL;
	size_t i;

	if (names == NULL)
		return NULL;
	buf_init(&b, 1 << 24);
	hosts = select_resolve(inv, names, overrides, err);
	for (i = 0; hosts != NULL && i < hostset_count(names); i++) {
		if (i > 0)
			buf_puts(&b, "; ");
		describe(&b, &hosts[i]);
		host_clear(&hosts[i]);
	}
	if (hosts != NULL) {
		buf_append(&b, "", 1);
		text = strdup((const char *)buf_head(&b));
	}
	free(hosts);
	buf_clear(&b);
	hostset_free(names);
	return text;
}

struct row {
	const char *what;
	const char *text;     /* the file */
	const char *hosts;    /* -h; NULL: every host */
	const char *expected; /* the hosts, or a part of the error */
};

/* --- what files say ----------------------------------------------------- */

static const struct row good[] = {
    {"nothing", "", NULL, ""},
    {"built-in values", "[a]\nweb1 =\n", NULL, "web1 ME@web1:22 in=a"},
    {"ranges", "[a]\nweb[08-10] =\n", NULL,
	"web08 ME@web08:22 in=a; web09 ME@web09:22 in=a; "
	"web10 ME@web10:22 in=a"},
    {"the order of the file", "[a]\nz =\ny =\n[b]\nx =\nz =\n", NULL,
	"z ME@z:22 in=a,b; y ME@y:22 in=a; x ME@x:22 in=b"},
    {"all settings on a member line",
	"[a]\nx = address=10.0.0.1 port=2222 user=bob password=pw "
	"password_file=/p password_env=PW identity_file=/id "
	"host_key_alias=al connect_timeout=500ms timeout=2m\n",
	NULL,
	"x bob@10.0.0.1:2222 in=a password=pw password_file=/p "
	"password_env=PW identity_file=/id alias=al connect=500 "
	"timeout=120000"},
    {"all settings in [host]",
	"[host x]\naddress=10.0.0.1\nport=2222\nuser=bob\npassword=pw\n"
	"password_file=/p\npassword_env=PW\nidentity_file=/id\n"
	"host_key_alias=al\nconnect_timeout=1.5\ntimeout=1h\n",
	NULL,
	"x bob@10.0.0.1:2222 password=pw password_file=/p password_env=PW "
	"identity_file=/id alias=al connect=1500 timeout=3600000"},
    {"a home directory",
	"[defaults]\nidentity_file = ~/id\n"
	"password_file = ~/pw\n[a]\nx =\n",
	NULL,
	"x ME@x:22 in=a password_file=/home/test/pw "
	"identity_file=/home/test/id"},
    {"a host without a group", "[host x]\n", "*", "x ME@x:22"},
    {"a range in [host]", "[host n[1-2]] ; both\nport = 5\n", NULL,
	"n1 ME@n1:5; n2 ME@n2:5"},
    {"names fold to lower case",
	"[Web]\nHost1 = PORT=5\n[HOST host1]\n"
	"User = Bob\n",
	"@WEB", "host1 Bob@host1:5 in=web"},
    {"blanks around everything", "  [ a ]  \n\t x  =  port=5   user=b \n", NULL,
	"x b@x:5 in=a"},
    {"an IPv6 address as a name", "[a]\nfe80::1 = port=5\n", NULL,
	"fe80::1 ME@fe80::1:5 in=a"},
    {"an IPv6 address in [host]", "[host ::1]\nport = 5\n", NULL,
	"::1 ME@::1:5"},
    {"an IPv6 address in brackets as address", "[a]\nx = address=[::1]\n", NULL,
	"x ME@::1:22 in=a"},
    {"a section twice", "[a]\nx =\n[b]\ny =\n[a]\nz =\n", "@a",
	"x ME@x:22 in=a; z ME@z:22 in=a"},
    {"a host twice in a section", "[a]\nx = port=5\nx = port=5 ; again\n", NULL,
	"x ME@x:5 in=a"},
    {"two lines of a group that don't collide",
	"[a]\nx[1-2] = port=5\nx2 = user=b\n", NULL,
	"x1 ME@x1:5 in=a; x2 b@x2:5 in=a"},
    {"[host] of a range, twice, members between",
	"[host x[1-2]]\nport = 5\n[a]\nx1 =\ny =\n[host x[1-2]]\nuser = u\n",
	NULL, "x1 u@x1:5 in=a; x2 u@x2:5; y ME@y:22 in=a"},
    {"groups in groups", "[p]\n@a =\nz =\n@b =\n[a]\nx =\n[b]\ny =\n", "@p",
	"x ME@x:22 in=p,a; z ME@z:22 in=p; y ME@y:22 in=p,b"},
    {"a diamond of groups", "[t]\n@a=\n@b=\n[a]\n@c=\n[b]\n@c=\n[c]\nx=\n",
	"@t", "x ME@x:22 in=t,a,b,c"},
    {"all hosts", "[a]\nx =\n[host y]\n", "@all", "x ME@x:22 in=a; y ME@y:22"},
    {"a group called all", "[all]\nx =\n[host y]\n", "@all",
	"x ME@x:22 in=all"},
    {"globs over groups", "[db_a]\nx =\n[db_b]\ny =\n[c]\nz =\n", "@db_*",
	"x ME@x:22 in=db_a; y ME@y:22 in=db_b"},
    {"a group without members", "[a]\n", "@a", ""},
    /* precedence */
    {"[defaults]", "[defaults]\nport = 1\n[a]\nx =\n", NULL, "x ME@x:1 in=a"},
    {"* over [defaults]", "[defaults]\nport = 1\n[a]\n* = port=2\nx =\n", NULL,
	"x ME@x:2 in=a"},
    {"* below the members", "[a]\nx =\n* = port=2\n", NULL, "x ME@x:2 in=a"},
    {"member line over *", "[a]\n* = port=2\nx = port=3\n", NULL,
	"x ME@x:3 in=a"},
    {"[host] over member line", "[a]\nx = port=3\n[host x]\nport = 4\n", NULL,
	"x ME@x:4 in=a"},
    {"each setting on its own",
	"[defaults]\nuser = u\ntimeout = 1\n[a]\n* = port=2 timeout=2\n"
	"x = address=y\n[host x]\nconnect_timeout = 1\n",
	NULL, "x u@y:2 in=a connect=1000 timeout=2000"},
    {"* holds for nested groups", "[p]\n* = port=2\n@a =\n[a]\nx =\n", "x",
	"x ME@x:2 in=p,a"},
    {"the nearer * wins",
	"[p]\n* = port=2 user=u\n@a =\n[a]\n* = port=3\n"
	"x =\n",
	"x", "x u@x:3 in=p,a"},
    {"the nearer * wins for a member of both",
	"[p]\n* = port=2\n@a =\nx =\n[a]\n* = port=3\nx =\n", "x",
	"x ME@x:3 in=p,a"},
    {"the nearer * settles what its parents disagree over",
	"[p]\n*=port=1\n@a=\n[q]\n*=port=2\n@a=\n[a]\n*=port=3\nx=\n", "x",
	"x ME@x:3 in=p,a,q"},
    {"groups that agree",
	"[a]\n* = port=2\nx = user=u\n[b]\n* = port=2\n"
	"x = user=u\n",
	NULL, "x u@x:2 in=a,b"},
    {"[host] settles what groups disagree over",
	"[a]\nx = port=2\n[b]\nx = port=3\n[host x]\nport = 4\n", NULL,
	"x ME@x:4 in=a,b"},
    {"a member line settles what two * disagree over",
	"[a]\n* = port=2\nx = port=9\n[b]\n* = port=3\nx =\n", NULL,
	"x ME@x:9 in=a,b"},
    /* iniparser's traps */
    {"comments", "# c\n; c\n[a] # c\nx = port=5 ; c\ny = # c\nz = ; c = d\n",
	NULL, "x ME@x:5 in=a; y ME@y:22 in=a; z ME@z:22 in=a"},
    {"a comment that ends in a backslash", "[a]\n# c \\\nx =\n", NULL,
	"x ME@x:22 in=a"},
    {"; and # in a quoted value", "[host x]\npassword = \"s3;c#r t\" # c\n",
	NULL, "x ME@x:22 password=s3;c#r t"},
    {"single quotes", "[host x]\npassword = 's3;c\"#' ; c\n", NULL,
	"x ME@x:22 password=s3;c\"#"},
    {"an apostrophe", "[host x]\npassword = don't # c\n", NULL,
	"x ME@x:22 password=don't"},
    {"a backslash without quotes", "[host x]\npassword = a\\b\n", NULL,
	"x ME@x:22 password=a\\b"},
    {"an equals sign in a value", "[host x]\npassword = a=b==\n", NULL,
	"x ME@x:22 password=a=b=="},
    {"UTF-8 in a value", "[host x]\npassword = p\xc3\xa4ss\n", NULL,
	"x ME@x:22 password=p\xc3\xa4ss"},
    {"quoted words", "[a]\nx = identity_file=\"/a b\" user='u'\n", NULL,
	"x u@x:22 in=a identity_file=/a b"},
    {"quotes in quotes", "[a]\nx = \"password='a #b;c' port=5\"\n", NULL,
	"x ME@x:5 in=a password=a #b;c"},
    {"continued lines", "[a]\nx = port=5 \\\n  user=u \\\n  timeout=1\ny =\n",
	NULL, "x u@x:5 in=a timeout=1000; y ME@y:22 in=a"},
    {"CRLF", "[a]\r\nx = port=5\r\n\r\ny =\r\n", NULL,
	"x ME@x:5 in=a; y ME@y:22 in=a"},
    {"a byte order mark", "\xef\xbb\xbf[a]\nx =\n", NULL, "x ME@x:22 in=a"},
    {"no newline at the end", "[a]\nx = port=5", NULL, "x ME@x:5 in=a"},
    /* -h beside the inventory */
    {"an ad hoc host gets the defaults", "[defaults]\nuser = u\nport = 5\n",
	"new", "new u@new:5 ad hoc"},
    {"user and port in the name", "[defaults]\nuser = u\nport = 5\n",
	"Bob@10.0.0.5:2222", "Bob@10.0.0.5:2222 Bob@10.0.0.5:2222 ad hoc"},
    {"a bracketed IPv6 address", "", "[::1]:2222",
	"[::1]:2222 ME@::1:2222 ad hoc"},
    {"a bracketed IPv6 address without port", "", "[fe80::1%eth0]",
	"[fe80::1%eth0] ME@fe80::1%eth0:22 ad hoc"},
    {"a user and an IPv6 address", "", "admin@[fe80::1]:22",
	"admin@[fe80::1]:22 admin@fe80::1:22 ad hoc"},
    {"a bare IPv6 address", "", "::1", "::1 ME@::1:22 ad hoc"},
    {"a user and a bare IPv6 address", "", "bob@fe80::1",
	"bob@fe80::1 bob@fe80::1:22 ad hoc"},
    {"the last @ ends the user", "", "a@b@c", "a@b@c a@b@c:22 ad hoc"},
    {"ranges with user and port", "", "u@n[1-2]:5",
	"u@n1:5 u@n1:5 ad hoc; u@n2:5 u@n2:5 ad hoc"},
    {"an inventory host with another user",
	"[a]\nx = address=10.0.0.1 user=u port=5 timeout=1\n", "bob@X,x:6",
	"bob@x bob@10.0.0.1:5 in=a timeout=1000; "
	"x:6 u@10.0.0.1:6 in=a timeout=1000"},
};

static const struct row bad[] = {
    {"unknown setting in [defaults]", "[defaults]\nprot = 1\n", NULL,
	"/ini: [defaults] prot: unknown setting (did you mean \"port\"?)"},
    {"unknown setting in [host]", "[host x]\ncolour = 1\n", NULL,
	"/ini: [host x] colour: unknown setting"},
    {"unknown setting on a line", "[a]\nx = adress=1\n", NULL,
	"/ini: [a] x: unknown setting \"adress\" (did you mean "
	"\"address\"?)"},
    {"bad port", "[defaults]\nport = 65536\n", NULL,
	"/ini: [defaults] port: bad port \"65536\" (1 to 65535)"},
    {"port 0", "[a]\nx = port=0\n", NULL, "/ini: [a] x: port: bad port"},
    {"a port with letters", "[a]\nx = port=22x\n", NULL, "bad port \"22x\""},
    {"a negative port", "[a]\nx = port=-1\n", NULL, "bad port \"-1\""},
    {"bad time", "[defaults]\ntimeout = 10x\n", NULL, "bad time \"10x\""},
    {"no time to connect", "[defaults]\nconnect_timeout = 0\n", NULL,
	"must be more than 0"},
    {"no value", "[defaults]\nuser =\n", NULL, "user: has no value"},
    {"a blank in a user", "[defaults]\nuser = a b\n", NULL, "no blanks"},
    {"bad address", "[a]\nx = address=a/b\n", NULL, "address: bad char"},
    {"a port in the address", "[a]\nx = address=1.2.3.4:22\n", NULL,
	"no IPv6 address (a port is a setting of its own)"},
    {"bad variable", "[a]\nx = password_env=1A\n", NULL,
	"password_env: not the name of an environment variable"},
    {"empty range", "[a]\nweb[] =\n", NULL,
	"/ini: [a] web[]: \"web[]\": empty brackets"},
    {"reversed range", "[a]\nweb[9-1] =\n", NULL,
	"/ini: [a] web[9-1]: \"web[9-1]\": range \"9-1\" is reversed"},
    {"too many hosts", "[a]\nweb[0-1000000] =\n", NULL, "more than 1000000"},
    {"a glob as a member", "[a]\nweb* =\n", NULL, "can't name new hosts"},
    {"a user in a member", "[a]\nbob@x =\n", NULL, "set by user=..."},
    {"a port in a member", "[a]\nx:22 =\n", NULL, "set by port=..."},
    {"a bad name", "[a]\nx/y =\n", NULL, "bad character \"/\""},
    {"undefined group", "[p]\n@web_cluster =\n[web_clusters]\n", NULL,
	"/ini: [p] @web_cluster: undefined group \"web_cluster\" (did you "
	"mean \"web_clusters\"?)"},
    {"a group in itself", "[a]\n@a =\n", NULL,
	"/ini: [a] @a: a cycle of groups: a is in a"},
    {"a cycle", "[t]\n@a =\n[a]\n@b =\n[b]\n@c =\n[c]\n@a =\n@d =\n[d]\n", NULL,
	"a cycle of groups: "},
    {"settings for a nested group", "[a]\n@b = port=2\n[b]\n", NULL,
	"takes no settings"},
    {"no name after @", "[a]\n@ =\n", NULL, "no group after \"@\""},
    {"a group's setting without *", "[a]\nuser = postgres\n", NULL,
	"/ini: [a] user: a setting of all members is written \"* = user"},
    {"an Ansible group of groups", "[web:children]\nx =\n", NULL,
	"/ini: [web:children]: a group's name has no \":\""},
    {"a range as a group", "[web[1-2]]\nx =\n", NULL, "has no \"[\""},
    {"[host] without a name", "[host]\n", NULL, "name is missing"},
    {"two member lines disagree", "[a]\nx = port=1\n[b]\nx = port=2\n", NULL,
	"/ini: [b] x: group \"b\" gives another port than group \"a\"; set "
	"it in [host x]"},
    {"two groups disagree", "[a]\n*=port=1\nx=\n[b]\n*=port=2\nx=\n", NULL,
	"group \"b\" gives another port than group \"a\""},
    {"two parents disagree",
	"[p]\n*=port=1\n@a=\n[q]\n*=port=2\n@a=\n[a]\nx=\n", NULL,
	"group \"q\" gives another port than group \"p\""},
    {"two parents disagree, over a host not chosen",
	"[p]\n*=port=1\n@a=\n[q]\n*=port=2\n@a=\n[a]\nx=\n", "z",
	"group \"q\" gives another port than group \"p\""},
    {"two member lines disagree, over a host not chosen",
	"[a]\nx = port=1\n[b]\nx = port=2\n", "z",
	"group \"b\" gives another port than group \"a\""},
    {"one line twice", "[a]\nx = port=1\nx = port=2\n", NULL,
	"/ini:3: \"x\" is in [a] already, on line 2, with another value"},
    {"one line twice, the section too", "[a]\nx = port=1\n[a]\nX =\n", NULL,
	"/ini:4: \"X\" is in [a] already, on line 2"},
    {"one setting twice", "[host x]\nport = 1\nport = 2\n", NULL,
	"/ini:3: \"port\" is in [host x] already, on line 2"},
    {"ranges that overlap", "[a]\nx[1-3] = port=1\nx2 = port=2\n", NULL,
	"another line of the group gives x2 a different port"},
    {"[host] ranges that overlap",
	"[host x[1-3]]\nport = 1\n[host x2]\nport = 2\n", NULL,
	"/ini: [host x2] port: set twice, to different values"},
    {"twice on one line", "[a]\nx = port=1 port=2\n", NULL, "port: set twice"},
    {"no =", "[a]\n\nweb01\n", NULL,
	"/ini:3: no \"=\"; a name without a value is written \"web01 =\""},
    {"= in a comment only", "[a]\nweb01 # = x\n", NULL, "/ini:2: no \"=\""},
    {"no name", "[a]\n= x\n", NULL, "/ini:2: nothing before \"=\""},
    {"before the first section", "x =\n", NULL, "/ini:1: an entry before"},
    {"no ]", "[a\nx =\n", NULL, "/ini:1: no \"]\""},
    {"text after ]", "[a] x\n", NULL, "/ini:1: text after"},
    {"IPv6 in brackets as member", "[a]\n[::1] = port=2\n", NULL,
	"written without brackets"},
    {"an empty section", "[ ]\n", NULL, "/ini:1: a section without a name"},
    {"cut at #", "[host x]\npassword = s3cret#1\n", NULL,
	"/ini:2: the value would be cut at \"#\""},
    {"cut at ;", "[a]\nx = password=s3;cret\n", NULL, "cut at \";\""},
    {"cut in inner quotes", "[a]\nx = password=\"s3 ;cret\"\n", NULL,
	"cut at \";\""},
    {"text after quotes", "[a]\nx = \"user=u\" port=5\n", NULL,
	"/ini:2: text after the closing quote"},
    {"open quotes", "[host x]\npassword = \"s3cret\n", NULL,
	"/ini:2: the value's quote is not closed"},
    {"open quotes on a line", "[a]\nx = user='u\n", NULL,
	"user: the quotes are not closed"},
    {"a backslash in quotes", "[host x]\npassword = \"a\\b\"\n", NULL,
	"/ini:2: a backslash between quotes"},
    {"a backslash at the end", "[a]\nx = port=5 \\", NULL,
	"/ini:2: the last line ends in a backslash"},
    {"a word without =", "[a]\nx = port\n", NULL, "expected words like"},
    {"blanks around =", "[a]\nx = port = 22\n", NULL, "expected words like"},
    {"undefined group in -h", "[web]\nx =\n", "@wbe",
	"undefined group \"wbe\" (did you mean \"web\"?)"},
    {"no group matches", "[web]\nx =\n", "@db*", "no group matches \"db*\""},
    {"bad port in a name", "", "x:99999", "x:99999: bad port \"99999\""},
    {"no port in a name", "", "x:", "x:: bad port \"\""},
    {"a group without an inventory", "", "a,@x", "there is no inventory"},
    {"bad IPv6", "", "[zz::1]:5", "\"[zz::1]\" is no IPv6 address"},
    {"text after IPv6", "", "[::1]x", "expected [IPv6 address]:port"},
    {"no host", "", "u@", "u@: \"\" is no host name or address"},
};

/* An inventory without text is none at all. */
static struct inventory *
load_row(const struct row *row, struct error *err)
{
	return row->text[0] != '\0' ? load(row->text, err) : inventory_new();
}

static char *
run_row(const struct row *row, struct error *err)
{
	struct choice all = {CHOICE_HOSTS, row->hosts};
	struct inventory *inv = load_row(row, err);
	char *text;

	if (inv == NULL)
		return NULL;
	if (row->hosts == NULL) {
		all.kind = CHOICE_GROUPS;
		all.text = row->text[0] != '\0' ? "all" : "";
	}
	text = choose(inv, &all, 1, NULL, err);
	inventory_free(inv);
	return text;
}

static void
reads_as_the_table_says(void **state)
{
	struct error err;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		err.text[0] = '\0';
		text = run_row(&good[i], &err);
		if (text == NULL)
			fail_msg("%s: %s", good[i].what, err.text);
		else if (strcmp(text, good[i].expected) != 0)
			fail_msg("%s:\n  \"%s\", not\n  \"%s\"", good[i].what,
			    text, good[i].expected);
		free(text);
	}
}

static void
refuses_as_the_table_says(void **state)
{
	struct error err;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		text = run_row(&bad[i], &err);
		if (text != NULL)
			fail_msg("%s: taken: %s", bad[i].what, text);
		if (strstr(err.text, bad[i].expected) == NULL)
			fail_msg("%s:\n  \"%s\" lacks\n  \"%s\"", bad[i].what,
			    err.text, bad[i].expected);
	}
}

/* --- passwords ---------------------------------------------------------- */

static void
no_message_holds_a_password(void **state)
{
	static const char *const texts[] = {
	    "[host x]\npassword = hunter2#\n",
	    "[host x]\npassword = \"hunter2\n",
	    "[host x]\npassword = hunter2\npassword = hunter2b\n",
	    "[a]\nx = password=hunter2 password=hunter2b\n",
	    "[a]\nx = password=a hunter2\n",
	    "[a]\nx = password=a hunter2=b\n",
	    "[a]\nx = password=\"hunter2\n",
	    "[a]\nx = password=hunter2\n[b]\nx = password=hunter2b\n",
	    "[host x]\npassword = a\\\n",
	    "[host x]\npassword\n = hunter2\n",
	    "[host x]\npassword =\nhunter2\n",
	    "[defaults]\npassword =\nhunter2\n",
	};
	struct inventory *inv;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		inv = load(texts[i], &err);
		if (inv != NULL)
			fail_msg("%s is taken", texts[i]);
		if (strstr(err.text, "hunter2") != NULL)
			fail_msg("%s", err.text);
	}
}

static void
a_password_wants_a_private_file(void **state)
{
	static const struct {
		const char *what, *text;
		mode_t mode;
		bool is_taken;
	} rows[] = {
	    {"private", "[host x]\npassword = p\n", 0600, true},
	    {"read-only", "[host x]\npassword = p\n", 0400, true},
	    {"readable by the group", "[host x]\npassword = p\n", 0640, false},
	    {"readable by others", "[host x]\npassword = p\n", 0604, false},
	    {"writable by the group", "[host x]\npassword = p\n", 0620, false},
	    {"on a member line", "[a]\nx = password=p\n", 0644, false},
	    {"for a group", "[a]\n* = password=p\n", 0644, false},
	    {"in [defaults]", "[defaults]\npassword = p\n", 0644, false},
	    {"none", "[a]\nx = password_file=p password_env=P\n", 0644, true},
	};
	struct inventory *inv;
	struct error err;
	char path[600];
	size_t i;

	(void)state;
	path_of("pw", path, sizeof(path));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unlink(path);
		write_bytes(
		    "pw", rows[i].text, strlen(rows[i].text), rows[i].mode);
		inv = inventory_new();
		if ((inventory_load(inv, path, &err) == 0) != rows[i].is_taken)
			fail_msg("%s", rows[i].what);
		if (!rows[i].is_taken) {
			assert_non_null(strstr(err.text, "chmod 600 "));
			assert_non_null(strstr(err.text, path));
		}
		inventory_free(inv);
	}
}

/* --- files -------------------------------------------------------------- */

static void
a_nul_byte_and_a_missing_file_are_errors(void **state)
{
	struct inventory *inv = inventory_new();
	struct error err;
	char path[600];

	(void)state;
	write_bytes("nul", "[a]\nx\0y =\n", 11, 0600);
	path_of("nul", path, sizeof(path));
	assert_int_equal(inventory_load(inv, path, &err), -1);
	assert_non_null(strstr(err.text, "/nul:2: a NUL byte"));
	path_of("none", path, sizeof(path));
	assert_int_equal(inventory_load(inv, path, &err), -1);
	assert_non_null(strstr(err.text, "/none: No such file"));
	assert_int_equal(inventory_load(inv, dir, &err), -1);
	inventory_free(inv);
}

/* 1,022 bytes are the most that iniparser takes; continued lines too. */
static void
long_lines_are_errors(void **state)
{
	char text[2048], *name;
	struct inventory *inv;
	struct error err;
	struct choice x = {CHOICE_HOSTS, "x"};
	int extra, continued;

	(void)state;
	for (continued = 0; continued < 2; continued++) {
		for (extra = 0; extra < 2; extra++) {
			strcpy(text, "[a]\nx = user=");
			memset(text + 13, 'u', 1013 + (size_t)extra);
			strcpy(text + 13 + 1013 + extra, "\n");
			if (continued) {
				memmove(text + 102, text + 100,
				    strlen(text + 100) + 1);
				memcpy(text + 100, "\\\n", 2);
			}
			inv = load(text, &err);
			if (extra) {
				assert_null(inv);
				assert_non_null(
				    strstr(err.text, ":2: longer than 1022"));
				continue;
			}
			if (inv == NULL)
				fail_msg("%s", err.text);
			name = choose(inv, &x, 1, NULL, &err);
			assert_int_equal(strlen(name), 1013 + 12);
			free(name);
			inventory_free(inv);
		}
	}
}

static void
a_later_file_wins(void **state)
{
	static const char first[] =
	    "[defaults]\nport = 1\nuser = u\n"
	    "[a]\n* = timeout=1\nx = address=one connect_timeout=1\n"
	    "[host y]\nport = 5\n";
	static const char second[] =
	    "[defaults]\nport = 2\n"
	    "[a]\n* = timeout=2\nx = address=two\nz =\n"
	    "[host y]\nport = 6\n[b]\n@a =\n";
	struct choice all = {CHOICE_GROUPS, "b,all"};
	struct inventory *inv = inventory_new();
	struct error err;
	char path[600], *text;

	(void)state;
	write_bytes("first", first, strlen(first), 0600);
	write_bytes("second", second, strlen(second), 0600);
	path_of("first", path, sizeof(path));
	assert_int_equal(inventory_load(inv, path, &err), 0);
	path_of("second", path, sizeof(path));
	assert_int_equal(inventory_load(inv, path, &err), 0);
	assert_int_equal(inventory_finish(inv, &err), 0);
	text = choose(inv, &all, 1, NULL, &err);
	assert_non_null(text);
	assert_string_equal(text,
	    "x u@two:2 in=a,b connect=1000 timeout=2000; "
	    "z u@z:2 in=a,b timeout=2000; y u@y:6");
	free(text);
	inventory_free(inv);
}

static void
the_default_file_is_searched_in_order(void **state)
{
	char path[700], *found, cwd[4096];
	bool is_named;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(setenv("HOME", dir, 1), 0);
	unsetenv("BATCH_INVENTORY");
	path_of(".config", path, sizeof(path));
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(".config/batch", path, sizeof(path));
	assert_int_equal(mkdir(path, 0700), 0);
	write_bytes(".config/batch/inventory.ini", "", 0, 0600);
	found = inventory_default_path(&is_named);
	path_of(".config/batch/inventory.ini", path, sizeof(path));
	assert_string_equal(found, path);
	free(found);
	write_bytes("inventory.ini", "", 0, 0600);
	found = inventory_default_path(&is_named);
	assert_string_equal(found, "./inventory.ini");
	assert_false(is_named);
	free(found);
	assert_int_equal(setenv("BATCH_INVENTORY", "/no/such", 1), 0);
	found = inventory_default_path(&is_named);
	assert_string_equal(found, "/no/such");
	assert_true(is_named);
	free(found);
	unsetenv("BATCH_INVENTORY");
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(setenv("HOME", "/home/test", 1), 0);
}

static void
the_sample_is_clean(void **state)
{
	struct choice some = {
	    CHOICE_HOSTS, "db1,db3,old[1-2],web21,rack1-node01,gateway"};
	struct inventory *inv = inventory_new();
	const char *srcdir = getenv("srcdir");
	struct error err;
	char path[4096], *text;

	(void)state;
	snprintf(path, sizeof(path), "%s/conf/inventory.ini",
	    srcdir != NULL ? srcdir : ".");
	if (inventory_load(inv, path, &err) == -1 ||
	    inventory_finish(inv, &err) == -1)
		fail_msg("%s", err.text);
	text = choose(inv, &some, 1, NULL, &err);
	assert_non_null(text);
	assert_string_equal(text,
	    "db1 postgres@10.0.1.1:2022 in=db_servers,production "
	    "password_env=DB1_PASSWORD "
	    "identity_file=/home/test/.ssh/id_ed25519 connect=5000 "
	    "timeout=3600000; "
	    "db3 postgres@fd00::3:22 in=db_servers,production "
	    "identity_file=/home/test/.ssh/id_ed25519 alias=db3.example.com "
	    "connect=5000 timeout=3600000; "
	    "old1 deploy@old1:22 in=legacy "
	    "identity_file=/home/test/old keys/id_rsa connect=5000; "
	    "old2 deploy@10.0.2.2:22 in=legacy "
	    "identity_file=/home/test/keys/#2 connect=5000; "
	    "web21 admin@10.0.0.21:2222 in=web_clusters,production "
	    "identity_file=/home/test/.ssh/id_ed25519 connect=5000; "
	    "rack1-node01 rack-admin@rack1-node01:22 "
	    "in=web_clusters,production "
	    "identity_file=/home/test/.ssh/id_ed25519 connect=5000; "
	    "gateway deploy@gateway:2200 in=production "
	    "identity_file=/home/test/.ssh/id_ed25519 connect=5000");
	free(text);
	inventory_free(inv);
}

/* More entries than iniparser gets at a time, in sections that go on. */
static void
large_files_keep_order_and_sections(void **state)
{
	struct inventory *inv;
	struct hostset *names;
	struct choice b = {CHOICE_GROUPS, "b"};
	struct error err;
	struct buf text;
	char name[32];
	size_t i;

	(void)state;
	buf_init(&text, 1 << 24);
	buf_puts(&text, "[a]\n");
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "a%zu = port=%zu\n", i, i + 1);
	buf_puts(&text, "[b]\n* = user=u\n");
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "b%zu = port=%zu \\\n timeout=1\n", i, i + 1);
	buf_append(&text, "", 1);
	inv = load((const char *)buf_head(&text), &err);
	buf_clear(&text);
	if (inv == NULL)
		fail_msg("%s", err.text);
	names = select_names(inv, NULL, NULL, &b, 1, NULL, &err);
	assert_non_null(names);
	assert_int_equal(hostset_count(names), 3000);
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "b%zu", i);
		assert_string_equal(hostset_name(names, i), name);
	}
	hostset_free(names);
	inventory_free(inv);
}

static void
groups_nest_to_a_limit(void **state)
{
	struct inventory *inv;
	struct error err;
	struct buf text;
	int depth, i;

	(void)state;
	for (depth = 65; depth <= 66; depth++) {
		buf_init(&text, 1 << 16);
		for (i = 0; i < depth - 1; i++)
			buf_printf(&text, "[g%d]\n@g%d =\n", i, i + 1);
		buf_printf(&text, "[g%d]\nx =\n", i);
		buf_append(&text, "", 1);
		inv = load((const char *)buf_head(&text), &err);
		buf_clear(&text);
		if (depth == 65)
			assert_non_null(inv);
		else
			assert_null(inv);
		inventory_free(inv);
	}
	assert_non_null(strstr(err.text, "nested more than 64 deep"));
}

/* --- choosing ----------------------------------------------------------- */

static void
overrides_win_but_for_the_name(void **state)
{
	struct host_overrides o = {{NULL}};
	struct choice hosts = {CHOICE_HOSTS, "x,new,bob@new:5"};
	struct inventory *inv;
	struct error err;
	char *text;

	(void)state;
	inv = load("[a]\nx = port=1\n[host x]\nuser = u\n", &err);
	assert_non_null(inv);
	o.value[SETTING_USER] = "admin";
	o.value[SETTING_PORT] = "9";
	o.value[SETTING_TIMEOUT] = "1";
	text = choose(inv, &hosts, 1, &o, &err);
	assert_non_null(text);
	assert_string_equal(text,
	    "x admin@x:9 in=a timeout=1000; "
	    "new admin@new:9 timeout=1000 ad hoc; "
	    "bob@new:5 bob@new:5 timeout=1000 ad hoc");
	free(text);
	o.value[SETTING_PORT] = "x";
	assert_null(choose(inv, &hosts, 1, &o, &err));
	assert_non_null(strstr(err.text, "port: bad port \"x\""));
	inventory_free(inv);
}

static void
choices_add_in_order_and_exclusions_come_last(void **state)
{
	struct choice choices[] = {
	    {CHOICE_EXCLUDE, "@b,nothing"},
	    {CHOICE_HOSTS, "new,x[2-3]"},
	    {CHOICE_GROUPS, "@a,b"},
	    {CHOICE_EXCLUDE, "x3"},
	};
	struct inventory *inv;
	struct error err;
	char *text;

	(void)state;
	inv = load("[a]\nx[1-4] =\n[b]\nx4 =\ny =\n", &err);
	assert_non_null(inv);
	text = choose(inv, choices, 4, NULL, &err);
	assert_non_null(text);
	assert_string_equal(
	    text, "new ME@new:22 ad hoc; x2 ME@x2:22 in=a; x1 ME@x1:22 in=a");
	free(text);
	choices[0].text = "@c";
	assert_null(choose(inv, choices, 4, NULL, &err));
	assert_non_null(strstr(err.text, "undefined group \"c\""));
	inventory_free(inv);
}

static void
hostfiles_hold_expressions(void **state)
{
	static const char text[] = "# all\r\n\r\n  x[1-2] # two\r\n@a!x3\nnew";
	static const char wrong[] = "x1\n\nx[\n";
	struct choice file = {CHOICE_HOSTFILE, NULL};
	struct inventory *inv;
	struct error err;
	char path[600], *hosts;

	(void)state;
	inv = load("[a]\nx[3-4] =\n", &err);
	assert_non_null(inv);
	write_bytes("hosts", text, strlen(text), 0600);
	path_of("hosts", path, sizeof(path));
	file.text = path;
	hosts = choose(inv, &file, 1, NULL, &err);
	assert_non_null(hosts);
	assert_string_equal(hosts,
	    "x1 ME@x1:22 ad hoc; x2 ME@x2:22 ad hoc; x4 ME@x4:22 in=a; "
	    "new ME@new:22 ad hoc");
	free(hosts);
	write_bytes("hosts", wrong, strlen(wrong), 0600);
	assert_null(choose(inv, &file, 1, NULL, &err));
	assert_non_null(strstr(err.text, "/hosts:3: \"x[\": \"[\" without"));
	path_of("none", path, sizeof(path));
	assert_null(choose(inv, &file, 1, NULL, &err));
	assert_non_null(strstr(err.text, "/none: No such file"));
	inventory_free(inv);
}

static void
a_hostfile_may_be_stdin(void **state)
{
	struct choice file = {CHOICE_HOSTFILE, "-"};
	struct inventory *inv = inventory_new();
	struct error err;
	char path[600], *hosts;
	int fd, saved = dup(STDIN_FILENO);

	(void)state;
	write_bytes("stdin", "a\nb,,\n", 6, 0600);
	path_of("stdin", path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	hosts = choose(inv, &file, 1, NULL, &err);
	close(fd);
	if (saved != -1) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	assert_null(hosts);
	assert_non_null(strstr(err.text, "stdin:2: "));
	inventory_free(inv);
}

static void
durations_are_read_as_the_table_says(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} rows[] = {
	    {"0", 0},
	    {"10", 10000},
	    {"10s", 10000},
	    {"500ms", 500},
	    {"2m", 120000},
	    {"1h", 3600000},
	    {"0.5", 500},
	    {"1.5m", 90000},
	    {"0.0001", 1},
	    {"0.25ms", 1},
	    {"720h", INT64_C(2592000000)},
	    {"721h", -1},
	    {"2592000.001", -1},
	    {"9999999999h", -1},
	    {"99999999999", -1},
	    {"1.0000001", -1},
	    {"", -1},
	    {"s", -1},
	    {".5", -1},
	    {"5.", -1},
	    {"5.s", -1},
	    {"-1", -1},
	    {"+1", -1},
	    {"1 s", -1},
	    {"1d", -1},
	    {"1e3", -1},
	    {"0x10", -1},
	    {"inf", -1},
	};
	struct error err;
	uint32_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ms = 0;
		if (duration_parse(rows[i].text, &ms, &err) == -1) {
			if (rows[i].ms != -1)
				fail_msg("%s: %s", rows[i].text, err.text);
		} else if (rows[i].ms != (int64_t)ms) {
			fail_msg("%s: %u", rows[i].text, ms);
		}
	}
}

/* --- set-up ------------------------------------------------------------- */

static int
make_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/test_inventory.XXXXXX",
	    tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return -1;
	return setenv("HOME", "/home/test", 1);
}

static int
remove_dir(void **state)
{
	static const char *const names[] = {"ini", "pw", "nul", "first",
	    "second", "hosts", "stdin", "inventory.ini",
	    ".config/batch/inventory.ini", ".config/batch", ".config"};
	char path[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(names[i], path, sizeof(path));
		remove(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_as_the_table_says),
	    cmocka_unit_test(refuses_as_the_table_says),
	    cmocka_unit_test(no_message_holds_a_password),
	    cmocka_unit_test(a_password_wants_a_private_file),
	    cmocka_unit_test(a_nul_byte_and_a_missing_file_are_errors),
	    cmocka_unit_test(long_lines_are_errors),
	    cmocka_unit_test(a_later_file_wins),
	    cmocka_unit_test(the_default_file_is_searched_in_order),
	    cmocka_unit_test(the_sample_is_clean),
	    cmocka_unit_test(large_files_keep_order_and_sections),
	    cmocka_unit_test(groups_nest_to_a_limit),
	    cmocka_unit_test(overrides_win_but_for_the_name),
	    cmocka_unit_test(choices_add_in_order_and_exclusions_come_last),
	    cmocka_unit_test(hostfiles_hold_expressions),
	    cmocka_unit_test(a_hostfile_may_be_stdin),
	    cmocka_unit_test(durations_are_read_as_the_table_says),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
