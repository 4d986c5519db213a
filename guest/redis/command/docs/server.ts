// What COMMAND INFO and COMMAND DOCS say about the commands about the server.
// The notation of the records is explained in record.ts.

export const SERVER_DOCS = `
acl 6.0.0 That of the subcommand
= Groups the commands about users and permissions.
acl|cat 6.0.0 O(N), N the commands
= Lists the command categories, or the commands of one.
? categoryname$?
acl|help 6.0.0 O(1)
= Lists the subcommands.
acl|list 6.0.0 O(1)
= Lists all users with their rules.
acl|users 6.0.0 O(1)
= Lists the names of all users.
acl|whoami 6.0.0 O(1)
= Returns the user of this connection.
bgsave 1.0.0 O(1)
= Writes all data to the RDB file from a snapshot while the server goes on.
? schedule!?#SCHEDULE>3.2.2
command 2.8.13 O(N), N the commands
= Describes all commands.
! nondeterministic_output_order
command|count 2.8.13 O(1)
= Counts the commands of this server.
command|docs 7.0.0 O(N), N the names
= Documents commands for people.
? command-name$?*
! nondeterministic_output_order
command|getkeys 2.8.13 O(N), N the arguments
= Returns the keys among the arguments of a command.
command|getkeysandflags 7.0.0 O(N), N the arguments
= Returns the keys of a command with how they are used.
command|help 5.0.0 O(1)
= Lists the subcommands.
command|info 2.8.13 O(N), N the names
= Describes commands for client libraries.
? command-name$?*
! nondeterministic_output_order
command|list 7.0.0 O(N), N the commands
= Lists the names of commands.
? filterby|?#FILTERBY(module-name$#MODULE category$#ACLCAT pattern~#PATTERN)
! nondeterministic_output_order
config 2.0.0 That of the subcommand
= Groups the commands about options of the server.
config|get 2.0.0 O(N), N the patterns times the options
= Returns options whose names match.
? parameter&*(parameter$)
config|help 5.0.0 O(1)
= Lists the subcommands.
config|resetstat 2.0.0 O(1)
= Sets the counters that INFO shows back to zero.
config|rewrite 2.8.0 O(1)
= Writes the options in force to the configuration file.
config|set 2.0.0 O(N), N the options given
= Changes options of the running server.
? parameter_value&*(parameter$ value$)
! request_policy:all_nodes response_policy:all_succeeded
dbsize 1.0.0 O(1)
= Counts the keys of the selected database.
! request_policy:all_shards response_policy:agg_sum
debug 1.0.0 That of the subcommand
= Groups commands for tests of servers and clients.
~ syscmd
flushall 1.0.0 O(N), N the keys of all databases
= Deletes every key of every database.
? async|?(async!#ASYNC>4.0.0 sync!#SYNC>6.2.0)
! request_policy:all_shards response_policy:all_succeeded
flushdb 1.0.0 O(N), N the keys of the database
= Deletes every key of the selected database.
? async|?(async!#ASYNC>4.0.0 sync!#SYNC>6.2.0)
! request_policy:all_shards response_policy:all_succeeded
info 1.0.0 O(1)
= Reports the state and the counters of the server.
? section$?*
! nondeterministic_output request_policy:all_shards response_policy:special
lastsave 1.0.0 O(1)
= Returns the Unix time of the last save that succeeded.
! nondeterministic_output
latency 2.8.13 That of the subcommand
= Groups the commands that report latency.
latency|doctor 2.8.13 O(1)
= Sums up what is known about latency.
! nondeterministic_output request_policy:all_nodes response_policy:special
latency|graph 2.8.13 O(1)
= Draws the recorded latency of one event.
? event$
! nondeterministic_output request_policy:all_nodes response_policy:special
latency|help 2.8.13 O(1)
= Lists the subcommands.
latency|histogram 7.0.0 O(N), N the commands shown
= Returns how the times of commands are distributed.
? command$?*
! nondeterministic_output request_policy:all_nodes response_policy:special
latency|history 2.8.13 O(1)
= Returns the recorded latency of one event.
? event$
! nondeterministic_output request_policy:all_nodes response_policy:special
latency|latest 2.8.13 O(1)
= Returns the last latency of every event.
! nondeterministic_output request_policy:all_nodes response_policy:special
latency|reset 2.8.13 O(1)
= Forgets the recorded latency events.
? event$?*
! request_policy:all_nodes response_policy:all_succeeded
lolwut 5.0.0 O(1)
= Draws something and tells the version.
? version%?#VERSION
memory 4.0.0 That of the subcommand
= Groups the commands that report memory.
memory|doctor 4.0.0 O(1)
= Sums up what is known about memory.
! nondeterministic_output request_policy:all_shards response_policy:special
memory|help 4.0.0 O(1)
= Lists the subcommands.
memory|malloc-stats 4.0.0 O(1)
= Describes the heap of the guest.
! nondeterministic_output request_policy:all_shards response_policy:special
memory|purge 4.0.0 O(1)
= Asks the allocator to free what it can.
! request_policy:all_shards response_policy:all_succeeded
memory|stats 4.0.0 O(1)
= Returns where memory is used.
! nondeterministic_output request_policy:all_shards response_policy:special
memory|usage 4.0.0 O(1)
= Returns how many bytes a key and its value take.
? key@0 count%?#SAMPLES
# RO
monitor 1.0.0 O(N), N the monitors, for each command
= Shows every command that the server runs.
replconf 3.0.0 O(1)
= Carries the parameters of replication between servers.
~ syscmd
replicaof 5.0.0 O(1)
= Makes a server a copy of another; refused, for replication is not offered.
? args|(host-port&(host$ port%) no-one&(no!#NO one!#ONE))
role 2.8.12 O(1)
= Tells the part that this server plays in replication.
save 1.0.0 O(N), N the keys of all databases
= Writes all data to the RDB file while everybody waits.
shutdown 1.0.0 O(N), N the keys of all databases, where it saves
= Saves if asked to and ends the server.
? nosave_save|?(nosave!#NOSAVE save!#SAVE) now!?#NOW>7.0.0 force!?#FORCE>7.0.0 abort!?#ABORT>7.0.0
slaveof 1.0.0 O(1)
= Older name of REPLICAOF.
? args|(host-port&(host$ port%) no-one&(no!#NO one!#ONE))
~ deprecated
< 5.0.0 'REPLICAOF'
slowlog 2.2.12 That of the subcommand
= Groups the commands that read the log of slow commands.
slowlog|get 2.2.12 O(N), N the entries returned
= Returns the newest entries of the slow log.
? count%?
! request_policy:all_nodes nondeterministic_output
slowlog|help 6.2.0 O(1)
= Lists the subcommands.
slowlog|len 2.2.12 O(1)
= Counts the entries of the slow log.
! request_policy:all_nodes response_policy:agg_sum nondeterministic_output
slowlog|reset 2.2.12 O(N), N the entries
= Empties the slow log.
! request_policy:all_nodes response_policy:all_succeeded
swapdb 4.0.0 O(N), N the clients that watch keys
= Exchanges two databases.
? index1% index2%
time 2.6.0 O(1)
= Returns the time of the server.
! nondeterministic_output

`;
