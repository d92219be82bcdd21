/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's version, said by `tasuki version`, /version and the CapabilityStatement.
 */
#ifndef EXCHANGE_VERSION_H
#define EXCHANGE_VERSION_H

#define TASUKI_VERSION "0.1.0"

#endif
