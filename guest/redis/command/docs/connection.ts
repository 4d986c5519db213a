// What COMMAND INFO and COMMAND DOCS say about the commands about the own connection and those of others.
// The notation of the records is explained in record.ts.

export const CONNECTION_DOCS = `
auth 1.0.0 O(1)
= Proves with a password that this connection may issue commands.
? username$?>6.0.0 password$
client 2.4.0 That of the subcommand
= Groups the commands about client connections.
client|caching 6.0.0 O(1)
= Chooses whether tracking remembers the keys of the next command.
? mode|(yes!#YES no!#NO)
client|getname 2.6.9 O(1)
= Returns the name of this connection.
client|getredir 6.0.0 O(1)
= Returns where tracking notifications of this connection go.
client|help 5.0.0 O(1)
= Lists the subcommands.
client|id 5.0.0 O(1)
= Returns the number of this connection.
client|info 6.2.0 O(1)
= Describes the own connection in one line.
! nondeterministic_output
client|kill 2.4.0 O(N), N the connections
= Closes connections by address or by filters.
? filter|(ip:port$<2.8.12 new-format|*(client-id%?#ID>2.8.12
? normal_master_slave_pubsub|?#TYPE>2.8.12(normal!#NORMAL master!#MASTER>3.2.0 slave!#SLAVE
? replica!#REPLICA>5.0.0 pubsub!#PUBSUB) username$?#USER ip:port$?#ADDR ip:port$?#LADDR>6.2.0
? yes/no$?#SKIPME))
client|list 2.4.0 O(N), N the connections
= Describes all connections, one line each.
? normal_master_replica_pubsub|?#TYPE>5.0.0(normal!#NORMAL master!#MASTER replica!#REPLICA
? pubsub!#PUBSUB) id&?#ID>6.2.0(client-id%*)
! nondeterministic_output
client|no-evict 7.0.0 O(1)
= Protects this connection from being closed to save memory.
? enabled|(on!#ON off!#OFF)
client|reply 3.2.0 O(1)
= Turns the replies to this connection on or off.
? on_off_skip|(on!#ON off!#OFF skip!#SKIP)
client|setinfo 7.2.0 O(1)
= Notes which client library this connection uses.
? attr|(libname$#LIB-NAME libver$#LIB-VER)
client|setname 2.6.9 O(1)
= Names this connection.
? connection-name$
client|tracking 6.0.0 O(1)
= Controls server support for caches in clients.
? status|(on!#ON off!#OFF) client-id%?#REDIRECT prefix$?*+#PREFIX bcast!?#BCAST optin!?#OPTIN
? optout!?#OPTOUT noloop!?#NOLOOP
client|trackinginfo 6.2.0 O(1)
= Describes the state of tracking on this connection.
client|unblock 5.0.0 O(1)
= Wakes a client that waits in a blocking command.
? client-id% timeout_error|?(timeout!#TIMEOUT error!#ERROR)
echo 1.0.0 O(1)
= Returns its argument.
? message$
hello 6.0.0 O(1)
= Greets the server, chooses a protocol version and describes the server in return.
? arguments&?(protover% username_password&?#AUTH(username$ password$) clientname$?#SETNAME)
ping 1.0.0 O(1)
= Answers PONG, or the message it was given.
? message$?
! request_policy:all_shards response_policy:all_succeeded
quit 1.0.0 O(1)
= Ends the connection after the reply.
reset 6.2.0 O(1)
= Brings the connection back to the state of a fresh one.
select 1.0.0 O(1)
= Chooses the database that this connection works on.
? index%

`;
