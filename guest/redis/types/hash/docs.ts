// What COMMAND INFO and COMMAND DOCS say about the hash commands.
// The notation of the records is explained in command/docs/record.ts.

export const HASH_DOCS = `
hdel 2.0.0 O(N), N the fields deleted
= Deletes fields, and the hash with its last one.
? key@0 field$*
# RW delete
hexists 2.0.0 O(1)
= Tells whether a hash has a field.
? key@0 field$
# RO
hget 2.0.0 O(1)
= Returns the value of one field.
? key@0 field$
# RO access
hgetall 2.0.0 O(N), N the fields of the hash
= Returns all fields and values of a hash.
? key@0
# RO access
! nondeterministic_output_order
hincrby 2.0.0 O(1)
= Adds a number to the integer in a field.
? key@0 field$ increment%
# RW access update
hincrbyfloat 2.6.0 O(1)
= Adds a floating-point number to the number in a field.
? key@0 field$ increment.
# RW access update
hkeys 2.0.0 O(N), N the fields of the hash
= Returns the names of all fields of a hash.
? key@0
# RO access
! nondeterministic_output_order
hlen 2.0.0 O(1)
= Counts the fields of a hash.
? key@0
# RO
hmget 2.0.0 O(N), N the fields asked for
= Returns the values of several fields.
? key@0 field$*
# RO access
hmset 2.0.0 O(N), N the fields set
= Sets several fields of a hash.
? key@0 field_value&*(field$ value$)
# RW update
~ deprecated
< 4.0.0 'HSET' with multiple field-value pairs
hrandfield 6.2.0 O(N), N the fields returned
= Returns fields of a hash picked at random.
? key@0 options&?(count% withvalues!?#WITHVALUES)
# RO access
! nondeterministic_output
hscan 2.8.0 O(1) a call, O(N) for the whole walk
= Walks the fields and values of a hash a few at a time.
? key@0 cursor% pattern~?#MATCH count%?#COUNT
# RO access
! nondeterministic_output
hset 2.0.0 O(N), N the fields set
= Sets one or more fields, creating the hash if it is missing.
? key@0 field_value&*(field$ value$)
# RW update
hsetnx 2.0.0 O(1)
= Sets a field of a hash only where it is missing.
? key@0 field$ value$
# RW insert
hstrlen 3.2.0 O(1)
= Returns how many bytes the value of a field has.
? key@0 field$
# RO
hvals 2.0.0 O(N), N the fields of the hash
= Returns all values of a hash.
? key@0
# RO access
! nondeterministic_output_order

`;
