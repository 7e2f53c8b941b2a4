/*
 * Questions on a terminal, with line editing and completion. One prompt at a
 * time, in the main thread.
 */
#ifndef CTL_PROMPT_H
#define CTL_PROMPT_H

#include <stdbool.h>

#include "ctl/choice.h"

/* Whether somebody can be asked: input and output are terminals. */
bool prompt_possible(void);

/* Once, before the first question; takes the locale of the terminal. */
void prompt_open(void);

/*
 * "label [standard]: ". Returns what was typed without the blanks around it,
 * the standard (may be NULL) when nothing was typed, "" when there is neither;
 * owned. NULL: no more input, or no memory. choices (may be NULL) are completed
 * with the tabulator and listed when "?" is typed.
 */
char *prompt_ask(const char *label, const char *standard,
    const struct choice_list *choices);

#endif
