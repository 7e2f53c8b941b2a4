#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

/* Elements of a true array (not a pointer). */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
