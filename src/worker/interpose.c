/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dynamic linker looks for a function in the program first, and then in the
 * libraries. So a function of ours with the name of one of libcrypto's is
 * called in its place: by libssh2, and by libcrypto itself where that is built
 * without -Bsymbolic, as Debian's is. Ours must therefore not get at the one of
 * libcrypto by way of another that may call it, but by interpose_next(). That
 * the program exports ours is the linker's doing: it sees the names in the
 * libraries that it links.
 *
 * worker/interpose.map lists those of batch_worker that stand in libcrypto's
 * place, and gives them the version of libcrypto 3's symbols. Without a version
 * they would serve references to any: a module of NSS that is linked with
 * libcrypto 1.1 would hand over structures that libcrypto 3 does not know.
 * Where libssh2 is linked with another version than that of the map, its calls
 * go to libcrypto as if nothing were in between.
 */
#include "config.h"

#include "worker/interpose.h"

#include <dlfcn.h>
#include <string.h>

#include "util/log.h"

void
interpose_next(const char *name, void *function)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		fatal("no library has %s()", name);
	/* POSIX lets void pointers hold functions. */
	memcpy(function, &symbol, sizeof(symbol));
}

bool
interpose_is_from(const void *address, const char *library)
{
	Dl_info info;

	return dladdr(address, &info) != 0 && info.dli_fname != NULL &&
	    strstr(info.dli_fname, library) != NULL;
}
