/* What became of an event and of its deliveries, in words for people. Each
 * value has its sentence; one of a later version says that it is not known. */
#ifndef SIGNAL_WORDS_H
#define SIGNAL_WORDS_H

#include "signal/delivery.h"

const char *verdict_words(enum verdict verdict);
/* Of one flag. */
const char *decision_flag_words(enum decision_flag flag);
const char *outcome_words(enum outcome_state state);

#define WORDS_REPEATED "it may have reached the station twice"

#endif
