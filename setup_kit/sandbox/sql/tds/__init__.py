"""MS-TDS: bytes, packets, messages, tokens, and values on the wire. Numbers of sections are those of MS-TDS.

====================  =================================================================================
`stream`              packets and messages over the socket, TLS inside or around them, how long they may be
`packets`             headers, kinds of messages, SQL batches, transaction manager requests
`login`               PRELOGIN, LOGIN7 with its features, the token of federated authentication
`parameters`          remote procedure calls; `repeats` reads calls that differ in their values alone
`table_values`        table-valued parameters
`bulk`                rows of a bulk load, as they arrive
`type_info`           a type before its values: which token, which length; both ways
`decoding`            a client's values, a function for each type; `rows` puts them together to rows
`encoding`            the server's values, a function for each type
`tokens`              what the server sends: COLMETADATA, ROW, DONE, ENVCHANGE, ERROR and the rest
`reply`               the answer to one request: tokens in their order, sent in pieces
`reader`              fields one after another, never beyond the end
====================  =================================================================================

A message that is none raises ProtocolError, and its connection is closed. What can be read and is not carried out, or
is no value of its type, raises SqlError, and is answered.
"""
