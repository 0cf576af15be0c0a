/*
 * Where the tables of functions lie: among the constants, or among the variables that the startup
 * code copies from flash. Nothing ever writes to them.
 */
#ifndef RNN_EDGE_TABLE_H
#define RNN_EDGE_TABLE_H

#include "rnn_edge_choices.h"

#ifdef RNN_EDGE_TABLES_IN_RAM
#define RNN_EDGE_TABLE
#else
#define RNN_EDGE_TABLE const
#endif

#endif
