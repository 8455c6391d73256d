/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose the files are that gallop makes, and which names in a directory like /tmp aren't to be touched.
 *
 * Under sudo it is root that writes, for a user: what it makes is to be his. And it must not be led
 * to write elsewhere by what others have put where everybody may write.
 */
#ifndef GALLOP_BASE_OWNER_H
#define GALLOP_BASE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Who can read what gallop makes: it tells what a program does, and with what arguments it runs. */
enum { OWNER_FILE_MODE = 0600 };

/*
 * Who called sudo: from SUDO_UID and SUDO_GID, which only root believes. False: nobody did, or these are no numbers of a
 * user and a group.
 */
bool owner_invoker(uid_t *uid_ret, gid_t *gid_ret);

/*
 * Give a file that was just made to who called sudo. Where that can't be - no CAP_CHOWN, a file system that knows no users -
 * it stays ours.
 */
void owner_give(int fd);

/*
 * May what is at this path be replaced, and each link on the way to it be followed? Not what another user has put into a directory like /tmp, in
 * which everybody may write and only owners may remove: neither the user that we are, nor who called sudo, nor the owner of the
 * directory. (It is the rule of the kernel's own fs.protected_symlinks and protected_regular, which needn't be set, and don't
 * know of replacing.) 0, also if there is nothing; -EPERM, with a hint.
 */
int owner_check(const char *path, struct err *err);

#endif
