/* Random tokens of sessions and keys, and what is made of them. */
#ifndef PORTAL_TOKEN_H
#define PORTAL_TOKEN_H

#include <stdbool.h>

#define TOKEN_BYTES	32
#define TOKEN_TEXT_SIZE (2 * TOKEN_BYTES + 1)
#define TOKEN_HASH_SIZE (2 + 2 * 32 + 1) /* "\x..." as PostgreSQL's bytea */

void token_new(char ret[TOKEN_TEXT_SIZE]);
/* Whether it can be one at all. */
bool token_sound(const char *text);
/* What is stored of it. */
void token_hash(const char *token, char ret[TOKEN_HASH_SIZE]);
/* What a page must send beside a session's cookie: made of the token, so that
 * it need not be stored, and of no use to find it. */
void token_csrf(const char *token, char ret[TOKEN_TEXT_SIZE]);
/* In constant time. */
bool token_equal(const char *a, const char *b);

#endif
