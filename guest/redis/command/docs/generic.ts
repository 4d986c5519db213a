// What COMMAND INFO and COMMAND DOCS say about the commands that work on keys of any type.
// The notation of the records is explained in record.ts.

export const GENERIC_DOCS = `
copy 6.2.0 O(N), N the fields of the value; O(1) for a string
= Copies a value to another key.
? source@0 destination@1 destination-db%?#DB replace!?#REPLACE
# RO access
# OW update
del 1.0.0 O(N), N the keys and the fields they hold
= Deletes keys.
? key@0*
# RM delete
! request_policy:multi_shard response_policy:agg_sum
exists 1.0.0 O(N), N the number of keys
= Counts how many of the given keys exist.
? key@0*
# RO
! request_policy:multi_shard response_policy:agg_sum
expire 1.0.0 O(1)
= Makes a key expire after a number of seconds.
? key@0 seconds% condition|?>7.0.0(nx!#NX xx!#XX gt!#GT lt!#LT)
# RW update
expireat 1.2.0 O(1)
= Makes a key expire at a Unix time in seconds.
? key@0 unix-time-seconds^ condition|?>7.0.0(nx!#NX xx!#XX gt!#GT lt!#LT)
# RW update
expiretime 7.0.0 O(1)
= Returns the Unix time in seconds at which a key expires.
? key@0
# RO access
keys 1.0.0 O(N), N the keys of the database
= Returns all keys whose names match a pattern.
? pattern~
! request_policy:all_shards nondeterministic_output_order
move 1.0.0 O(1)
= Moves a key to another database.
? key@0 db%
# RW access update
object 2.2.3 That of the subcommand
= Groups the commands that look into how a key is stored.
object|encoding 2.2.3 O(1)
= Names the internal encoding of a value.
? key@0
# RO
! nondeterministic_output
object|freq 4.0.0 O(1)
= Returns the logarithmic count of accesses to a key.
? key@0
# RO
! nondeterministic_output
object|help 6.2.0 O(1)
= Lists the subcommands.
object|idletime 2.2.3 O(1)
= Tells how many seconds ago a key was last used.
? key@0
# RO
! nondeterministic_output
object|refcount 2.2.3 O(1)
= Returns how many references a value has.
? key@0
# RO
! nondeterministic_output
persist 2.2.0 O(1)
= Removes the expiry of a key.
? key@0
# RW update
pexpire 2.6.0 O(1)
= Makes a key expire after a number of milliseconds.
? key@0 milliseconds% condition|?>7.0.0(nx!#NX xx!#XX gt!#GT lt!#LT)
# RW update
pexpireat 2.6.0 O(1)
= Makes a key expire at a Unix time in milliseconds.
? key@0 unix-time-milliseconds^ condition|?>7.0.0(nx!#NX xx!#XX gt!#GT lt!#LT)
# RW update
pexpiretime 7.0.0 O(1)
= Returns the Unix time in milliseconds at which a key expires.
? key@0
# RO access
pttl 2.6.0 O(1)
= Returns how many milliseconds a key has left.
? key@0
# RO access
! nondeterministic_output
randomkey 1.0.0 O(1)
= Returns a key picked at random.
! request_policy:all_shards nondeterministic_output
rename 1.0.0 O(1)
= Gives a key a new name, replacing what has that name.
? key@0 newkey@1
# RW access delete
# OW update
renamenx 1.0.0 O(1)
= Gives a key a new name that no other key has.
? key@0 newkey@1
# RW access delete
# OW insert
scan 2.8.0 O(1) a call, O(N) for the whole walk
= Walks the keys of a database a few at a time.
? cursor% pattern~?#MATCH count%?#COUNT type$?#TYPE>6.0.0
! nondeterministic_output request_policy:special
touch 3.2.1 O(N), N the number of keys
= Counts the given keys that exist and marks them as just used.
? key@0*
# RO
! request_policy:multi_shard response_policy:agg_sum
ttl 1.0.0 O(1)
= Returns how many seconds a key has left.
? key@0
# RO access
! nondeterministic_output
type 1.0.0 O(1)
= Returns the type of the value under a key.
? key@0
# RO
unlink 4.0.0 O(1) a key, freeing comes later
= Deletes keys, putting off the work of freeing large values.
? key@0*
# RM delete
! request_policy:multi_shard response_policy:agg_sum

`;
