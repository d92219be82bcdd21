/* SPDX-License-Identifier: Apache-2.0
 *
 * The last step of an answer: every interaction prints compact JSON into r->answer_buf, and here it becomes what
 * the client asked for: XML, indented, part of a resource, the content of a Binary, an OperationOutcome, or
 * nothing at all (304). So no interaction knows forms. The other way round too: a body of any of these forms becomes
 * the tree that the interactions read. Must run on whatever thread holds the request, and touch only it.
 */
#ifndef EXCHANGE_DOOR_FHIR_FORM_H
#define EXCHANGE_DOOR_FHIR_FORM_H

#include "exchange/door/fhir.h"

#define FHIR_FORM_FIELDS 2 /* header fields of a Binary's content */

/* Reads _format and _pretty of the query and of a form into the wish; ERR_NOT_ACCEPTABLE or ERR_BAD_PARAM with
 * input->refusal_place. */
enum err fhir_form_params(struct request *r, struct slice text) ERR_CHECKED;
/* Reads _summary and _elements, already in input->params, into input->subset; for reads. */
enum err fhir_form_subset(struct request *r) ERR_CHECKED;
/* Does the request ask for, or bring, the content of a Binary instead of the resource? */
bool fhir_form_is_content(const struct fhir_input *in);

/* Parses r->body, of input->body_media, into input->resource. Not validated yet. */
enum err fhir_form_parse(struct request *r) ERR_CHECKED;

/* When the store is done with R: prints what was left for later (fhir_answer_later), or makes it 304 when the client has
 * that version already (If-None-Match, If-Modified-Since), or an OperationOutcome where a write is to be
 * answered with one (Prefer). Errors go to r->job.err. Then, if needed, fhir_form_make: every entry of a batch as well. */
void fhir_form_settle(struct request *r);
/* Is anything to be done to what was printed? */
bool fhir_form_needed(const struct request *r);
/* Makes it over, into r->answer_buf, with r->answer_type. Time grows with the answer: what is large does not belong
 * on the loop. */
enum err fhir_form_make(struct request *r) ERR_CHECKED;
/* The type of a FHIR answer in the form wanted. */
const char *fhir_form_type(const struct fhir_input *in);
/* Prints RESOURCE as the whole answer in the form wanted. */
enum err fhir_form_print(struct request *r, const struct json *resource,
                         struct buf *out) ERR_CHECKED;

/* The header fields that keep a browser from running a Binary's content as a page of ours. */
extern const struct http_field fhir_form_content_fields[FHIR_FORM_FIELDS];

#endif
