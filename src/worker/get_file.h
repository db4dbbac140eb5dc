/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_file: one file or symbolic link on its way from a host. Its bytes go to
 * a temporary beside the target, which is renamed when it is whole, on disk
 * and, if wanted, verified.
 *
 *	get_file.c  its states, from what is here already to the rename
 *	get_read.c  the reading
 *	get_link.c  symbolic links
 *	get_end.c   how it ends, and what it may take
 */
#ifndef WORKER_GET_FILE_H
#define WORKER_GET_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/frame.h"
#include "worker/compare.h"
#include "worker/get_place.h"
#include "worker/transfer.h"

struct disk_job;
struct get_range;

/* What the files of a get share. */
struct get_files {
	struct transfer *t;
	struct get_place *place;
	uint32_t serial;	/* of temporaries */
	uint64_t claimed;	/* bytes, against -max-size */
	unsigned closing;	/* CLOSEs on their way */
	struct get_file *first; /* all, the oldest first */
	uint32_t count;
};

enum get_file_state {
	GET_FILE_BEGIN,
	GET_FILE_LINK,	  /* READLINK */
	GET_FILE_SAME,	  /* -checksum: is it here already? */
	GET_FILE_CLAIM,	  /* -resume: is a part of it here? */
	GET_FILE_OVERLAP, /* is that part the same? */
	GET_FILE_OPEN,
	GET_FILE_OPENED,
	GET_FILE_READ,
	GET_FILE_SYNC,
	GET_FILE_VERIFY,
	GET_FILE_OVER, /* replies may still come */
};

struct get_file {
	struct get_files *files;
	struct get_file *next;
	enum get_file_state state;
	enum entry_type type;
	char *source, *path; /* there; below the root */
	uint32_t mode;
	uint64_t mtime_s; /* or GET_TIME_UNKNOWN */
	uint64_t told;	  /* size, by the listing */

	unsigned waiting; /* replies, but those of ranges */
	struct sftp_handle handle;
	struct target_file *file;
	struct compare *compare;
	bool is_compared;
	enum compare_result result;
	bool has_sha256;
	uint8_t sha256[32];
	int here; /* descriptor of what stands at path, for -checksum; or -1 */
	bool is_empty_here;
	struct disk_job *sync;
	bool is_synced;
	int sync_error;

	/* reading */
	bool has_fstat;
	bool has_size;	  /* else it is read until its end */
	uint64_t size;	  /* by FSTAT; at last the one that arrived */
	uint64_t begin;	  /* before it is what an earlier run had read */
	uint64_t ask;	  /* up to where it was asked for */
	uint64_t eof;	  /* where the server saw the end; UINT64_MAX */
	uint64_t end;	  /* of what was written */
	uint64_t arrived; /* bytes */
	uint64_t claimed;
	struct get_range *asked, *again; /* on their way; to be asked again */
};

void get_files_init(
    struct get_files *files, struct transfer *t, struct get_place *place);
/* The connection is gone: remove the temporaries, free all. */
void get_files_clear(struct get_files *files);

/* Begin with a file or symbolic link; e is copied. */
void get_files_add(struct get_files *files, const struct msg_entry *e);
void get_files_step(struct get_files *files);
/* End all files at once. Their replies may still come. */
void get_files_stop(struct get_files *files);

/* A temporary's number, of this session among the worker's. */
uint32_t get_files_seq(struct get_files *files);

/* --- between these files ------------------------------------------------- */

/* It ends here, without success; the user was told. */
void get_file_end(struct get_file *f, bool keeps_part);
/* The same after a target_*() that failed, of which this tells. */
void get_file_end_local(struct get_file *f, const struct error *err);
/* It has arrived, or it was here already. */
void get_file_succeed(struct get_file *f, uint64_t bytes, bool is_unchanged);

/* Parts of these: */
void get_file_close(struct get_file *f); /* the handle */
/* The temporary; with -resume and keeps_part it stays for a later run. */
void get_file_discard(struct get_file *f, bool keeps_part);
void get_file_release(struct get_file *f); /* what is needed no more */

/* As target_file_commit() wants it. */
const char *get_file_backup_suffix(const struct get_file *f);

/*
 * That many bytes of it are to be fetched. Returns 0, or -1 if it was ended,
 * since the host would send more than it may.
 */
int get_file_claim(struct get_file *f, uint64_t bytes);

/* Fetch a symbolic link. */
void get_link_begin(struct get_file *f);

/* The handle is there: ask for its size, and begin at f->begin. */
void get_read_begin(struct get_file *f);
/* Go on. Returns whether all is there, f->size bytes. */
bool get_read_step(struct get_file *f);
/* Up to where nothing is missing. */
uint64_t get_read_contiguous(const struct get_file *f);
/* Forget what would be asked again. */
void get_read_stop(struct get_file *f);
/* The connection is gone. */
void get_read_clear(struct get_file *f);

#endif
