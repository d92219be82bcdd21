/* SPDX-License-Identifier: Apache-2.0
 *
 * Every bound on what comes from outside, in one place. A parser or a door that needs another bound
 * adds it here, with its unit and the reason where it is not plain.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_KIB (1024u)
#define LIMIT_MIB (1024u * 1024u)

#define LIMIT_ERR_ITEMS 50           /* issues kept in one answer */
#define LIMIT_ARENA_REQUEST (64u * LIMIT_MIB)
#define LIMIT_ARENA_CHART (1024u * LIMIT_MIB) /* all of one patient's records, being written to a storage */

/* JSON */
#define LIMIT_JSON_DEPTH 64
/* HTTP */
#define LIMIT_HTTP_LINE (8u * LIMIT_KIB)    /* request line */
#define LIMIT_HTTP_HEAD (16u * LIMIT_KIB)   /* all header fields */
#define LIMIT_HTTP_FIELDS 64
#define LIMIT_HTTP_BODY (10u * LIMIT_MIB)
#define LIMIT_HTTP_ANSWER (64u * LIMIT_MIB)
#define LIMIT_HTTP_HEAD_MS 10000u           /* whole head received */
#define LIMIT_HTTP_BODY_MS 60000u           /* whole body received */
#define LIMIT_HTTP_IDLE_MS 75000u           /* keep-alive */
#define LIMIT_HTTP_CHUNK_LINE 256u          /* chunk size and its extensions */
#define LIMIT_HTTP_TRAILERS (4u * LIMIT_KIB)
#define LIMIT_TLS_HANDSHAKE_MS 10000u
#define LIMIT_TLS_HANDSHAKES 1024u          /* at once, per listener: all may come back at once; over it the oldest is dropped */
#define LIMIT_TLS_FILE (16u * LIMIT_MIB)    /* certificates, key, CRL */
#define LIMIT_LINGER_MS 1000u               /* after our last byte: time for the peer to read it */
#define LIMIT_WRITE_STALL_MS 30000u
#define LIMIT_KEEP_BYTES (8u * LIMIT_KIB)   /* of each buffer of a connection that waits */
#define LIMIT_CONNECTIONS 16384u            /* all listeners together, unless the configuration says fewer */
#define LIMIT_CONNECTIONS_MAX 1000000u      /* what a configuration may say */
#define LIMIT_ADDRESS_SHARE 4u              /* one address holds at most this part of them, a quarter */
#define LIMIT_SPARE_FILES 256u              /* open files that are no connections: store, logs, folders, refusals, monitoring */
#define LIMIT_OPS_CONNECTIONS 32u           /* monitoring looks in also when all others are taken */
#define LIMIT_REFUSALS 32u                  /* per listener, connections over the cap that are told so at once */
#define LIMIT_REFUSAL_MS 2000u              /* their handshake, and their head */
#define LIMIT_ACCEPT_AT_ONCE 16u            /* per listener and turn of the loop */
#define LIMIT_ACCEPT_PAUSE_MS 100u          /* when there are no files or memory for another connection */
/* MLLP */
#define LIMIT_MLLP_FRAME (16u * LIMIT_MIB)
#define LIMIT_MLLP_FRAME_MS 60000u          /* from start block to end block */
#define LIMIT_MLLP_IDLE_MS 600000u
/* HL7 v2 */
#define LIMIT_HL7_SEGMENTS 20000u
#define LIMIT_HL7_FIELDS 500u               /* per segment */
#define LIMIT_HL7_REPEATS 1000u             /* per field */
#define LIMIT_MERGE_PAIRS 100u              /* numbers joined by one message */
#define LIMIT_HL7_HEADER (16u * LIMIT_KIB)  /* MSH of a refused message, read for its answer */
/* FHIR */
#define LIMIT_FORM_AT_ONCE (16u * LIMIT_KIB) /* JSON made over into XML on the loop; more goes to a worker */
#define LIMIT_FHIR_ID 64u
#define LIMIT_FHIR_STRING (1u * LIMIT_MIB)  /* R4 datatypes.html#string */
#define LIMIT_FHIR_DECIMAL 64u              /* characters of a literal */
#define LIMIT_FHIR_EXPONENT 300              /* of a decimal, either sign: stays well inside a double */
#define LIMIT_FHIR_NARRATIVE_DEPTH 64u      /* open tags in a narrative */
#define LIMIT_VALUESET_CODES 100000u        /* of one code system or expansion */
#define LIMIT_VALUESET_DEPTH 16u            /* value sets within value sets */
#define LIMIT_PROFILE_DEPTH 16u             /* profiles within profiles; also base on base */
#define LIMIT_PROFILE_RULE_STEPS 2000000u   /* FHIRPath of one profile's constraints, all together */
#define LIMIT_PROFILE_STEPS 200000u         /* values checked against one profile, also to sort slices */
#define LIMIT_FACET_TEXT 2048u              /* bytes of one search row; longer text is cut, codes left out */
#define LIMIT_SEARCH_PARAMS 64u             /* per request */
#define LIMIT_SEARCH_VALUES 1000u           /* OR values of one parameter */
#define LIMIT_SEARCH_FORMS (8u * LIMIT_SEARCH_VALUES) /* the same, references spelled out by type and by address */
#define LIMIT_SEARCH_CHAIN 5u               /* links of a chain or reverse chain; SQLite's parser takes no more */
#define LIMIT_SEARCH_FILTERS 256u           /* of one search, all levels */
#define LIMIT_SEARCH_INCLUDED 1000u         /* resources that _include and _revinclude add to a page */
#define LIMIT_SORT_KEY 256u                 /* bytes; longer keys are cut, then order by record number */
#define LIMIT_SORT_KEYS 8u                  /* parameters of one _sort */
#define LIMIT_KEY_DAYS 31u                  /* a span of more days is found by another way than by day */
#define LIMIT_KEY_TEXT 64u                  /* bytes of a string in the string index; candidates are compared in full */
#define LIMIT_SEARCH_COUNT 1000u            /* largest page */
#define LIMIT_SEARCH_COUNT_DEFAULT 50u
#define LIMIT_FACETS 20000u                 /* search rows of one resource */
#define LIMIT_SEARCH_MS 5000u               /* one statement */
#define LIMIT_TOTAL_MS 1000u                /* counting the matches of a search beside one page of them */
#define LIMIT_BUNDLE_ENTRIES 10000u         /* of a batch or transaction */
#define LIMIT_BATCH_WINDOW 32u              /* entries of one batch in work at once */
#define LIMIT_FHIRPATH_TEXT (16u * LIMIT_KIB) /* one expression */
#define LIMIT_FHIRPATH_DEPTH 200u           /* nested operators, calls and path steps */
#define LIMIT_FHIRPATH_STEPS 200000u        /* items made and compared by one evaluation */
#define LIMIT_PATCH_OPERATIONS 1000u        /* in one patch */
#define LIMIT_PATCH_STEPS 300000u           /* values copied, compared or walked by one patch */
/* SS-MIX2 */
#define LIMIT_SSMIX2_FILE (16u * LIMIT_MIB)
#define LIMIT_SSMIX2_PATH 1024u
/* XML */
#define LIMIT_XML_BYTES (16u * LIMIT_MIB)
#define LIMIT_XML_TAG (64u * LIMIT_KIB)     /* start tag without its attributes' values */
#define LIMIT_XML_ATTRIBUTES 256u
#define LIMIT_XML_DEPTH 256u
#define LIMIT_XML_NODES 500000u             /* markup and attributes: the tree takes ~120 bytes for each */
#define LIMIT_XML_NAMESPACES 64u            /* in scope at once: every look-up walks them */
/* Pages */
#define LIMIT_PAGE_XPATH_OPS 20000000u      /* one transformation */
#define LIMIT_PAGE_DEPTH 200u               /* nested templates */
#define LIMIT_SUMMARY_NARRATIVE LIMIT_MIB   /* one section's */
#define LIMIT_SUMMARY_ROWS 200u             /* things in one section; how many more is said */
/* Store */
#define LIMIT_STORE_QUEUE 4096u             /* jobs waiting */
#define LIMIT_STORE_GROUP 256u              /* jobs in one commit */
/* What leaves by itself: subscriptions and exports */
#define LIMIT_PUSH_HOST 253u                /* a DNS name */
#define LIMIT_PUSH_URL 1024u
#define LIMIT_PUSH_HEADERS 16u              /* of one Subscription */
#define LIMIT_PUSH_HEADER 1024u             /* one of them */
#define LIMIT_PUSH_CRITERIA 4096u
#define LIMIT_PUSH_REASON 200u              /* bytes of a failure's text */
#define LIMIT_PUSH_CONNECT_MS 10000u        /* name, connection and handshake */
#define LIMIT_PUSH_ANSWER_MS 15000u         /* from the request to the answer's end */
#define LIMIT_PUSH_IDLE_MS 10000u           /* a connection out is kept for the next request */
#define LIMIT_PUSH_BODY (64u * LIMIT_KIB)   /* of an answer, thrown away; longer: the connection is closed */
#define LIMIT_PUSH_ADDRESSES 4u             /* of one name that are tried */
#define LIMIT_PUSH_FAILURES 12u             /* in a row, then the subscription's status is error */
#define LIMIT_PUSH_BACKOFF_MS (5 * 60 * 1000)
#define LIMIT_PUSH_SCAN 50u                 /* changes looked at in one go */
#define LIMIT_FEEDS 16u                     /* in one configuration */
#define LIMIT_FEEDS_KNOWN 64u               /* with those that it named once */
#define LIMIT_FEED_RUN 200u                 /* changes in one message */
#define LIMIT_FEED_RESULTS 2000u            /* OBX groups in one message */
#define LIMIT_FEED_LETTERS 1000u            /* shown at once */
#define LIMIT_FEED_IDLE_MS 300000u          /* a connection without messages is closed */
#define LIMIT_HL7_ACK (256u * LIMIT_KIB)    /* the answer to a message of ours */
#define LIMIT_SUBSCRIPTIONS 100u            /* of a facility, that are not off */
#define LIMIT_EVENT_STREAMS 256u            /* listened to at once */
#define LIMIT_EVENT_BEAT_MS 15000u          /* a comment, so that both ends know the other is there */
#define LIMIT_EXPORT_JOBS 64u               /* kept at once */
#define LIMIT_EXPORT_JOBS_CALLER 8u
#define LIMIT_EXPORT_LINES 100000u          /* of one file */
#define LIMIT_EXPORT_FILES 2000u            /* of one job */
#define LIMIT_EXPORT_STEP 500u              /* changes looked at in one go */
#define LIMIT_EXPORT_PIECE (256u * LIMIT_KIB) /* sent at a time */
#define LIMIT_BODY (32u * LIMIT_MIB)        /* one body or original before packing; more than any door lets in */
#define LIMIT_REINDEX_ROWS 2000u            /* records in one transaction of a reindex */
/* Break-glass */
#define LIMIT_GLASS_MS (60 * 60 * 1000)
#define LIMIT_GLASS_TEXT 1000u

#endif
