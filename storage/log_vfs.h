/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite writes every page of its log with two calls, one of them of 24 bytes. Under this VFS the writing connection
 * collects what it appends to the log and writes it in one piece. It is in the file before anything else is done with
 * that handle (read, sync, size, close), so SQLite cannot tell; and since a commit under synchronous=FULL syncs before
 * it tells others of its pages, nobody looks for what is not there yet. For the writing connection only, and only
 * under synchronous=FULL.
 */
#ifndef STORAGE_LOG_VFS_H
#define STORAGE_LOG_VFS_H

/* The name to open the connection with; NULL when memory is out. Stands on the VFS that is the default at the first
 * call. */
const char *log_vfs_name(void);

#endif
