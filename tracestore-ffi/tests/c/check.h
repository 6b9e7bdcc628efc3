/* What the tests share: checks that say where they failed, and requests to ingest. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracestore.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/*
 * A call that gives a code: the one that is expected. The call has `&error` for its last argument, an error that is there
 * with the same code and a message, or not there.
 */
#define EXPECT(expected, call)                                                                                         \
    do {                                                                                                               \
        ts_error *error = (ts_error *)&error;                                                                          \
        ts_code given = (call);                                                                                        \
        check_code(__FILE__, __LINE__, #call, expected, given, error);                                                 \
    } while (0)

void check_code(const char *file, int line, const char *call, ts_code expected, ts_code code, ts_error *error);

/* Where this thread's tests may make stores, and its number. */
struct place {
    const char *folder;
    const char *recording;
    int thread;
};

/* A request of `spans` spans of one trace, the first of them the root, in a buffer that is freed by the caller. */
uint8_t *make_request(uint8_t trace, int spans, size_t *length);

/* A store in memory with three traces of three spans each. */
ts_store *small_store(void);

/* Whether a text is there and has some words in it; the text is freed. */
void check_text(ts_text *text, const char *words);

void test_arguments(const struct place *place);
void test_handles(const struct place *place);
void test_errors(const struct place *place);
void test_answers(const struct place *place);
void test_streams(const struct place *place);
void test_ends(const struct place *place);

#endif
