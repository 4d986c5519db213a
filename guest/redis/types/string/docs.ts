// What COMMAND INFO and COMMAND DOCS say about the string commands.
// The notation of the records is explained in command/docs/record.ts.

export const STRING_DOCS = `
append 2.0.0 O(1) amortized
= Adds bytes at the end of a string, creating the key if it is missing.
? key@0 value$
# RW insert
decr 1.0.0 O(1)
= Subtracts one from the integer under a key, counting a missing key as 0.
? key@0
# RW access update
decrby 1.0.0 O(1)
= Subtracts a number from the integer under a key, counting a missing key as 0.
? key@0 decrement%
# RW access update
get 1.0.0 O(1)
= Returns the string stored under a key.
? key@0
# RO access
getdel 6.2.0 O(1)
= Returns a string and deletes its key.
? key@0
# RW access delete
getex 6.2.0 O(1)
= Returns a string and changes or removes the expiry of its key.
? key@0 expiration|?(seconds%#EX milliseconds%#PX unix-time-seconds^#EXAT
? unix-time-milliseconds^#PXAT persist!#PERSIST)
# RW access update
getrange 2.4.0 O(N), N the bytes returned
= Returns the bytes of a string between two offsets.
? key@0 start% end%
# RO access
getset 1.0.0 O(1)
= Stores a new string and returns the one it replaces.
? key@0 value$
# RW access update
~ deprecated
< 6.2.0 'SET' with the 'GET' argument
incr 1.0.0 O(1)
= Adds one to the integer under a key, counting a missing key as 0.
? key@0
# RW access update
incrby 1.0.0 O(1)
= Adds a number to the integer under a key, counting a missing key as 0.
? key@0 increment%
# RW access update
incrbyfloat 2.6.0 O(1)
= Adds a floating-point number to the number under a key.
? key@0 increment.
# RW access update
lcs 7.0.0 O(N*M), N and M the lengths of the two strings
= Finds the longest subsequence of bytes that two strings have in common.
? key1@0 key2@0 len!?#LEN idx!?#IDX len%?#MINMATCHLEN withmatchlen!?#WITHMATCHLEN
# RO access
mget 1.0.0 O(N), N the number of keys
= Returns the strings under several keys.
? key@0*
# RO access
! request_policy:multi_shard
mset 1.0.1 O(N), N the number of keys
= Sets several keys in one step.
? key_value&*(key@0 value$)
# OW update
! request_policy:multi_shard response_policy:all_succeeded
msetnx 1.0.1 O(N), N the number of keys
= Sets several keys at once, but none of them if any exists already.
? key_value&*(key@0 value$)
# OW insert
! request_policy:multi_shard response_policy:agg_min
psetex 2.6.0 O(1)
= Sets a string together with a time to live in milliseconds.
? key@0 milliseconds% value$
# OW update
set 1.0.0 O(1)
= Stores a string under a key, replacing whatever was there.
? key@0 value$ condition|?>2.6.12(nx!#NX xx!#XX) get!?#GET>6.2.0 expiration|?(seconds%#EX>2.6.12
? milliseconds%#PX>2.6.12 unix-time-seconds^#EXAT>6.2.0 unix-time-milliseconds^#PXAT>6.2.0
? keepttl!#KEEPTTL>6.0.0)
# RW access update variable_flags
setex 2.0.0 O(1)
= Sets a string together with a time to live in seconds.
? key@0 seconds% value$
# OW update
setnx 1.0.0 O(1)
= Stores a string only where the key does not exist.
? key@0 value$
# OW insert
setrange 2.2.0 O(N), N the bytes written
= Overwrites part of a string from an offset on, growing it with zero bytes if needed.
? key@0 offset% value$
# RW update
strlen 2.2.0 O(1)
= Returns how many bytes a string has.
? key@0
# RO
substr 1.0.0 O(N), N the bytes returned
= Returns part of a string, chosen by its first and last offset.
? key@0 start% end%
# RO access
~ deprecated
< 2.0.0 'GETRANGE'

`;
