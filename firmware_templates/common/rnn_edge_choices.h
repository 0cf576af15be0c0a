/*
 * What a spec chooses for the kernel library. An export has this file with its own choices; none of
 * them changes a bit.
 */
#ifndef RNN_EDGE_CHOICES_H
#define RNN_EDGE_CHOICES_H

/* #define RNN_EDGE_PORTABLE       no instructions of one target only: the least code */
/* #define RNN_EDGE_FAST           what costs code where it saves time */
/* #define RNN_EDGE_TABLES_IN_RAM  tables of functions are variables, which the startup code fills
 */

#endif
