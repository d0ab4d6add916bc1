#pragma once

/// Purpose: every bound of Kaiku in one place, each with its reason; the unit stands last in the name.
/// Thread: constants.

#include <cstddef>
#include <cstdint>

namespace kaiku::limits {

// --- time ---------------------------------------------------------------------------------------------------------
/// Default election timeout T: well above a round trip plus an fsync, short enough that a failover goes unnoticed.
inline constexpr std::uint32_t election_timeout_ms = 1000;
/// Below this a loaded two-core machine would elect on scheduling hiccups.
inline constexpr std::uint32_t election_timeout_min_ms = 100;
/// Above this nobody would call it a failover.
inline constexpr std::uint32_t election_timeout_max_ms = 60'000;
/// Default heartbeat interval: six chances within T.
inline constexpr std::uint32_t heartbeat_interval_ms = 150;
inline constexpr std::uint32_t heartbeat_interval_min_ms = 10;
/// A write that finds no leader waits this long for one: longer than an ordinary election (2 T + 300 ms).
inline constexpr std::uint32_t leader_wait_ms = 3000;
/// A `majority` or `all` write waits this long before it answers 202: below the usual 30 s of client libraries.
inline constexpr std::uint32_t durability_wait_ms = 10'000;
/// A read that asks for more than this node has waits this long for it: longer than an ordinary election.
inline constexpr std::uint32_t freshness_wait_ms = 5000;
/// An entry that no majority has after this long stops writes that only the leader would hold. Longer than pulling the
/// largest usual file takes, and than a follower's restart.
inline constexpr std::uint32_t unreplicated_ms = 30'000;
/// A write sent to another node's replication actor must be answered within this: `durability_wait_ms` and slack.
inline constexpr std::uint32_t forwarded_write_timeout_ms = 15'000;
/// The storage actor answers within this, as does a step beside it, or the process ends: no disk that slow can serve.
inline constexpr std::uint32_t storage_timeout_ms = 60'000;
/// One chunk to or from a peer: 256 KiB at 10 KB/s.
inline constexpr std::uint32_t chunk_timeout_ms = 30'000;
/// Last chunk to durable content: at most `staging_flush_bytes` are left to sync.
inline constexpr std::uint32_t upload_finish_timeout_ms = 60'000;
/// A call that waits for a leader looks again after this, also when nothing was heard of a change.
inline constexpr std::uint32_t leader_poll_ms = 50;
/// A read that Redis has not answered within this is the embedded store's, and Redis is not asked for a while.
inline constexpr std::uint32_t redis_read_ms = 10;
/// Redis accepts a connection, or answers a command of the mirror, within this.
inline constexpr std::uint32_t redis_answer_ms = 1000;
/// From a failure of Redis to the next attempt: at first, and at most.
inline constexpr std::uint32_t redis_retry_ms = 200;
inline constexpr std::uint32_t redis_retry_most_ms = 5000;
/// A Redis that answered in time for so many times as long as the last pause begins with the shortest one again.
inline constexpr std::uint32_t redis_patience = 16;
/// A filled Redis that is of no use again before this is filled again only after a pause.
inline constexpr std::uint32_t redis_lasting_ms = 30'000;
/// From one transaction to the next: what is written meanwhile goes together.
inline constexpr std::uint32_t redis_gather_ms = 3;
/// After a transaction the mirror rests for so many times as long as it took, so that writes keep the processors; but
/// no longer than this.
inline constexpr std::uint32_t redis_rest = 9;
inline constexpr std::uint32_t redis_gather_most_ms = 200;
/// How often an idle mirror looks whether Redis still holds it.
inline constexpr std::uint32_t redis_look_ms = 500;
/// Connect, challenge and hello of a peer link, together.
inline constexpr std::uint32_t link_handshake_timeout_ms = 3000;
/// Wait between two attempts to reach a peer: the first is short, since most losses are restarts, and doubles up to the
/// longest, which a member that was away for long waits before it is back.
inline constexpr std::uint32_t link_retry_first_ms = 50;
inline constexpr std::uint32_t link_retry_max_ms = 1000;
/// Without a link to a peer that broke the protocol: it does so again, most likely, and each time is a line in the log.
inline constexpr std::uint32_t link_shunned_ms = 10'000;
/// A member that the peer with the smaller name has not linked with for this long dials itself: the peer may not have
/// heard of it yet. Longer than the longest wait and a handshake.
inline constexpr std::uint32_t link_undialled_ms = 5000;
/// Data on a link that nobody acknowledges for this long ends it: after a partition, dialling anew is sooner than the
/// retransmission, which has backed off by then. Longer than a default election.
inline constexpr std::uint32_t link_unacknowledged_ms = 5000;
/// A follower whose fetch or append failed asks again after this, so that a lasting trouble makes no storm.
inline constexpr std::uint32_t append_retry_ms = 500;
/// So long before a certificate runs out, the log says so: two weeks, what a person needs to renew one by hand.
inline constexpr std::int64_t certificate_warning_ms = std::int64_t{14} * 24 * 3600 * 1000;
/// A request's header must be complete within this; the first one's with the TLS handshake in front of it.
inline constexpr std::uint32_t http_header_timeout_ms = 15'000;
/// A kept-alive connection with no request is closed after this.
inline constexpr std::uint32_t http_idle_timeout_ms = 60'000;
/// No byte of a body read or written for this long closes the connection.
inline constexpr std::uint32_t http_body_stall_timeout_ms = 30'000;
/// The most that `--http-body-stall-ms` may say: with a slow piece, less than `upload_idle_timeout_ms`.
inline constexpr std::uint32_t http_body_stall_most_ms = 45'000;
/// After an answer that ends a connection while the client still sends, its bytes are read and dropped for so long.
inline constexpr std::uint32_t http_linger_timeout_ms = 2000;
/// A piece of a slow body is handed on after this, full or not, so that the leader hears of the upload in time.
inline constexpr std::uint32_t http_body_piece_ms = 10'000;
/// How often the files of `--auth-file` and of certificates are looked at: a token that was taken out works no longer
/// than this.
inline constexpr std::uint32_t access_look_ms = 2000;
/// An upload of which nothing was heard for this long is given up: a stalled body and a slow piece, together, and
/// slack.
inline constexpr std::uint32_t upload_idle_timeout_ms = 60'000;
/// Content that nothing names any more is kept for so long: whoever was told its name a moment ago may still come for
/// it.
inline constexpr std::uint32_t content_grace_ms = 60'000;
/// The log goes back as far as this over entries that removed or replaced a file: a node that was away for less is sent
/// entries, not the state.
inline constexpr std::uint32_t superseded_keep_ms = 3'600'000;
/// An upload holds back its word to a client that is far ahead of the followers for so long: with `chunk_window` chunks
/// a client is never slowed to less than 50 MiB/s.
inline constexpr std::uint32_t upload_hold_ms = 20;
/// An upload that hears nothing for this long looks whether it is still needed, and waits for no reader.
inline constexpr std::uint32_t upload_silence_ms = 200;
/// Content that was brought here and that no entry has named keeps its bytes for this long: the entry follows its
/// upload at once, and a link that broke is back within seconds.
inline constexpr std::uint32_t staged_keep_ms = 15'000;
/// An upload that says nothing for this long is not followed any more: its content comes when its entry does.
inline constexpr std::uint32_t prefetch_silence_ms = 120'000;
/// How often transfers are looked over: fine enough for bounds of minutes.
inline constexpr std::uint32_t fetch_sweep_ms = 1000;
/// A snapshot that no follower was told of for this long is let go: it keeps RocksDB from reclaiming space.
inline constexpr std::uint32_t snapshot_keep_ms = 600'000;
/// What nothing names any more is looked for at this interval, and at the other while there is more of it.
inline constexpr std::uint32_t garbage_interval_ms = 1000;
inline constexpr std::uint32_t garbage_busy_interval_ms = 20;
/// What is missing on a disk is asked for again after this; also the first check of stored content after a start.
inline constexpr std::uint32_t scrub_look_ms = 60'000;
/// From the begin of one check of all stored content to the next: what a disk loses silently is found before the other
/// copies are likely to have lost the same.
inline constexpr std::uint32_t scrub_interval_hours = 7 * 24;
inline constexpr std::uint32_t scrub_interval_max_hours = 365 * 24;
/// What failovers displaced is kept for so long: whoever misses a write comes for it within weeks.
inline constexpr std::uint32_t set_aside_days = 30;
inline constexpr std::uint32_t set_aside_max_days = 3650;
/// How often it is looked at for what is too old or too much.
inline constexpr std::uint32_t set_aside_look_ms = 600'000;
/// How often the leader looks for files whose time is over; readers do not see them any more.
inline constexpr std::uint32_t expiry_look_ms = 1000;
/// A request's key is known for so long after its first answer: a client that repeats it does so within a day. What
/// entries do depends on it: another value is another format.
inline constexpr std::int64_t request_window_ms = std::int64_t{24} * 60 * 60 * 1000;
/// SIGTERM to exit: handover, requests in flight, close. Kubernetes kills after 30 s by default.
inline constexpr std::uint32_t shutdown_grace_ms = 10'000;

// --- bytes --------------------------------------------------------------------------------------------------------
/// Content up to this lives in RocksDB and travels inside log messages; above it, in a file of its own.
inline constexpr std::size_t small_content_bytes = std::size_t{64} * 1024;
/// Large content is checked in blocks of this size whenever it is read: reading one byte costs reading a block.
inline constexpr std::size_t content_block_bytes = std::size_t{64} * 1024;
/// One chunk of large content on its way: large enough to saturate loopback, small enough not to delay a heartbeat.
inline constexpr std::size_t chunk_bytes = 4 * content_block_bytes;
/// Chunks in flight per transfer; with `chunk_bytes`, the memory a transfer may hold on either side.
inline constexpr std::size_t chunk_window = 4;
/// Chunks asked for and not yet written, of all that a node pulls, so that on a link of 100 Mbit/s a heartbeat behind
/// them comes 170 ms later; waiting for an upload to grow does not count. What an append waits for does not wait for
/// the others, and may come on top.
inline constexpr std::size_t pull_window = 8;
/// While content is received it is fsynced after this much, so that neither its last fsync nor the log's takes long.
inline constexpr std::size_t staging_flush_bytes = std::size_t{8} * 1024 * 1024;
/// What followers may lack at the end of an upload when they are quick enough: a tenth of a second's.
inline constexpr std::size_t upload_lead_bytes = std::size_t{8} * 1024 * 1024;
/// Content bytes plus entry bytes in one append message.
inline constexpr std::size_t append_batch_bytes = std::size_t{512} * 1024;
/// Large content that the entries of one append may name, beyond the first: all of it is pulled before any of them is
/// taken.
inline constexpr std::uint64_t append_large_bytes = std::uint64_t{64} * 1024 * 1024;
/// Small content in one proposal: bounds the size of a RocksDB batch.
inline constexpr std::size_t proposal_bytes = std::size_t{4} * 1024 * 1024;
/// Counted for each name of a path in a proposal: the keys and old values of a directory that may have to be made.
inline constexpr std::size_t proposal_overhead_bytes = 512;
/// Entries in one append message or one proposal: bounds the time one batch holds the storage actor.
inline constexpr std::size_t batch_entries = 1024;
/// Bytes of small content waiting in the replication actor before writes are refused.
inline constexpr std::size_t queued_write_bytes = std::size_t{64} * 1024 * 1024;
/// Most of a directory's state, log and small content that one piece of a snapshot may hold: as an append.
inline constexpr std::size_t snapshot_piece_bytes = append_batch_bytes;
/// A check of stored content reads this much in a second: 1 TiB in six days, and a fiftieth of what a slow disk gives.
inline constexpr std::uint64_t scrub_bytes_per_second = std::uint64_t{2} * 1024 * 1024;
/// How fast content is hashed on which a read failed: soon, but beside the log's fsyncs.
inline constexpr std::uint64_t scrub_suspect_bytes_per_second = std::uint64_t{64} * 1024 * 1024;
/// Contents that wait for that; of what is more the next read tells again.
inline constexpr std::size_t scrub_suspects = 256;
/// What failovers displaced, with its content, is kept up to this; then the oldest goes first.
inline constexpr std::uint64_t set_aside_bytes = std::uint64_t{10} * 1024 * 1024 * 1024;
/// Free space kept back: RocksDB must still be able to log votes, flush and compact when files no longer fit. One
/// compaction takes up to 100 MiB before it gives any back (storage/database.cpp bounds it).
inline constexpr std::uint64_t disk_reserve_bytes = std::uint64_t{128} * 1024 * 1024;
/// The log with its undo records and the small content it names is compacted above this: enough for a follower that
/// was away for minutes, little to keep twice.
inline constexpr std::uint64_t log_bytes = std::uint64_t{128} * 1024 * 1024;
/// Up to this what follows a state is kept while a follower takes it: an hour of 1 MB/s of writes.
inline constexpr std::uint64_t log_bytes_for_installs = std::uint64_t{4} * 1024 * 1024 * 1024;
/// Up to this it is kept for linked followers that still need it; above, they are sent the state.
inline constexpr std::uint64_t log_bytes_for_followers = std::uint64_t{512} * 1024 * 1024;
/// Keys and values that copying one directory may write: bounds a RocksDB batch, as `proposal_bytes` does.
inline constexpr std::size_t copy_bytes = std::size_t{8} * 1024 * 1024;
/// What was removed or replaced stays on the disk while the log could still undo it. That ends for what is older than
/// `superseded_keep_ms`, and for all of it when less is free than this, or than this part of the disk.
inline constexpr std::uint64_t short_of_space_bytes = std::uint64_t{4} * 1024 * 1024 * 1024;
inline constexpr std::uint64_t short_of_space_part = 10;
/// Largest entry that a peer's message or a log record may carry: two paths, a file's properties and some.
inline constexpr std::size_t entry_bytes = std::size_t{64} * 1024;
/// An address of a peer or of HTTP: a host name (253) with its port.
inline constexpr std::size_t address_bytes = 260;
/// Largest frame of the link handshake, before a peer is trusted.
inline constexpr std::size_t link_frame_bytes = 4096;
/// A message between nodes: the largest is a full append, half of this with all that goes along.
inline constexpr std::size_t link_payload_bytes = std::size_t{4} * 1024 * 1024;
/// Why a peer could not do as it was asked: names two paths at most, or what stood in a small document.
inline constexpr std::size_t peer_text_bytes = std::size_t{32} * 1024;
/// Where a snapshot goes on: the longest key of the state, a name in a directory, and a little.
inline constexpr std::size_t snapshot_cursor_bytes = 1024;
/// Entity tags that a condition of a request may name: more than fit its header.
inline constexpr std::size_t condition_tags = 16'384;
/// Header of one HTTP request.
inline constexpr std::size_t http_header_bytes = std::size_t{16} * 1024;
/// One field of it: Beast keeps lengths of values in 16 bits, with two bytes of its own, and throws for more.
inline constexpr std::size_t http_field_bytes = 65'533;
/// What a request left of its body unread is read after the answer, up to this, so that the connection can go on.
inline constexpr std::uint64_t http_drained_body_bytes = std::uint64_t{64} * 1024;
/// Read at once while chunks are taken apart: the most that a chunk's header, or the trailer, may take.
inline constexpr std::size_t http_chunked_input_bytes = std::size_t{64} * 1024;
/// Read behind the last boundary of a form to keep the connection; nobody sends more.
inline constexpr std::size_t http_epilogue_bytes = std::size_t{4} * 1024;
/// A JSON document in a request: names and addresses, no content.
inline constexpr std::size_t http_document_bytes = std::size_t{16} * 1024;
/// The most that `--http-header-bytes` may say: every connection that sends one holds it.
inline constexpr std::size_t http_header_most_bytes = std::size_t{1} << 20;
/// A body, unless `--http-body-bytes` says otherwise: no file that a client sends by accident is larger.
inline constexpr std::uint64_t http_body_bytes = std::uint64_t{1} << 40;
/// A body that comes, or is taken, slower than this in a second is drip-fed: the slowest modems were quicker.
inline constexpr std::uint64_t http_body_rate_bytes = 512;
/// The header of one part of a form: a name, a file's name and a type.
inline constexpr std::size_t http_part_header_bytes = std::size_t{4} * 1024;
/// The longest that a file may be told to stay: a hundred years, so that no sum overflows.
inline constexpr std::uint64_t ttl_most_seconds = std::uint64_t{100} * 366 * 24 * 3600;
/// What a client may call a request: more than any library makes up.
inline constexpr std::size_t request_name_bytes = 255;
/// The file of `--auth-file`, and each key that it names: ten thousand tokens have room.
inline constexpr std::size_t access_file_bytes = std::size_t{4} * 1024 * 1024;
/// A key that signs URLs: as many bits as its HMAC has security.
inline constexpr std::size_t access_key_least_bytes = 32;
/// A key in a file of its own: one of RSA with 16,384 bits, as PEM, takes 13 KB.
inline constexpr std::size_t key_file_bytes = std::size_t{64} * 1024;
/// An append up to this is kept in memory, so that one that was overtaken can be tried again.
inline constexpr std::size_t http_append_bytes = std::size_t{1} << 20;

// --- counts -------------------------------------------------------------------------------------------------------
/// No term or size of an honest cluster comes near, and sums of a few of them do not overflow.
inline constexpr std::uint64_t peer_counter = std::uint64_t{1} << 60;
/// Likewise of an index, which inode numbers are made of: 10,000 writes a second for 400 years.
inline constexpr std::uint64_t last_index = std::uint64_t{1} << 47;
/// A node takes terms that are further ahead than this in steps of it, each a durable one: who claims the last term
/// there is does not get the cluster there. With an election every second twelve days.
inline constexpr std::uint64_t term_leap = std::uint64_t{1} << 20;
/// Marks that say how old the entries of the log are.
inline constexpr std::size_t log_marks = 60;
/// Questions to one peer that were not answered yet, whose answers are let in: chunks of every upload, writes and reads
/// of every front. The oldest goes.
inline constexpr std::size_t link_questions = 65'536;
/// Writes waiting in the replication actor, or for a durability: above it 503.
inline constexpr std::size_t queued_writes = 8192;
/// Entries, and bytes of content, that no majority has yet, before writes that only the leader would hold are refused:
/// what the loss of one disk can cost.
inline constexpr std::size_t unreplicated_entries = 50'000;
inline constexpr std::uint64_t unreplicated_bytes = std::uint64_t{4} * 1024 * 1024 * 1024;
/// Reads waiting for the leadership to be confirmed.
inline constexpr std::size_t queued_reads = 8192;
/// Append messages to one follower without an answer. With `append_batch_bytes` 2 MiB, which delay a heartbeat behind
/// them by 170 ms on a link of 100 Mbit/s.
inline constexpr std::size_t append_window = 4;
/// Uploads of large content at once on one node: each holds a thread and an open file.
inline constexpr std::size_t uploads_in_flight = 128;
/// Of these, those of clients of one other node: however many it opens, some are left for the others.
inline constexpr std::size_t uploads_of_peer = uploads_in_flight * 3 / 4;
/// Blobs that a node keeps open for peers that pull them.
inline constexpr std::size_t served_blobs = 16;
/// Keys that one step of reclaiming may touch: bounds the time it holds the storage actor.
inline constexpr std::size_t garbage_step_keys = 1024;
/// Blob files that one step of reclaiming may unlink: one of a GiB takes up to 50 ms, and votes and appends wait.
inline constexpr std::size_t garbage_step_unlinks = 16;
/// So much small content that was dropped is a reason for RocksDB to reclaim it: one blob file's.
inline constexpr std::uint64_t dropped_bytes = std::uint64_t{16} * 1024 * 1024;
/// Starts of terms that are remembered behind the log's beginning, for tokens and for followers far behind: with one
/// election an hour, half a year.
inline constexpr std::size_t term_starts = 4096;
/// Damaged blobs kept apart for somebody to look at; the next ones stay where they are until they are repaired.
inline constexpr std::size_t damaged_blobs = 16;
/// Uploads that a node follows while the leader receives them, and whose content it then keeps until an entry names it:
/// each holds a thread, an open file, and one chunk beyond `pull_window`. What is more comes when its entry does.
inline constexpr std::size_t prefetches = 8;
/// Free space that following uploads leaves alone, in reserves of the content store: what entries name needs it more.
inline constexpr std::uint64_t prefetch_reserves = 4;
/// Contents that an append names and that are pulled side by side: enough to hide one's fsync behind another's bytes.
inline constexpr std::size_t fetches_at_once = 4;
/// Peers that wait for an upload to grow: every member once, and what links that broke have left.
inline constexpr std::size_t upload_readers = 32;
/// Contents that an install has fetched before it lets storage keep them: each holds an open file meanwhile.
inline constexpr std::size_t install_fetch = 64;
/// Uploads whose end a leader remembers for followers whose link was down just then.
inline constexpr std::size_t ended_uploads = 16;
/// Members of one cluster.
inline constexpr std::size_t members = 9;
/// Addresses at which a node asks for its cluster: those it was given, and those of the members it is told of.
inline constexpr std::size_t asked_addresses = 4 * members;
/// So many voters are never removed for being silent: of three the loss of one is survived, of two none. Nor is a
/// learner of so few members: who was named when a cluster was founded anew is still to come.
inline constexpr std::size_t voters_kept = 3;
inline constexpr std::uint32_t remove_dead_max_minutes = 525'600;
/// Connections on the peer port that have not yet proved who they are. A member needs a round trip to show its
/// certificate: with one of 100 ms it comes through beside 2,500 strangers a second. Each may make OpenSSL take 131 KB.
inline constexpr std::size_t unproven_links = 256;
/// Open client connections of one node; above it a new one is closed at once.
inline constexpr std::size_t http_connections = 10'000;
/// Open files and sockets that a node keeps for itself when connections are bounded by what the system allows: 300 of
/// RocksDB, 256 unproven links, 128 uploads, 64 of an install, and as many again for other members, Redis and threads.
inline constexpr std::uint64_t node_files = 1024;
/// A key of AES-GCM is good for 2^24.5 full records (RFC 8446, 5.5): another one in time.
inline constexpr std::uint64_t tls_records_each_key = std::uint64_t{1} << 23;
/// TLS handshakes of clients under way on one I/O thread; above it the oldest is given up. OpenSSL makes room for what
/// a client says that it is going to send, 131 KB: 64 MiB in all.
inline constexpr std::size_t http_handshakes = 512;
/// Requests of one node whose answer is not yet sent, probes aside; above it 503. Each may hold a chunk and a window of
/// chunks: 2.5 GiB when all are large uploads, of which `uploads_in_flight` lets few be.
inline constexpr std::size_t http_requests = 2048;
/// More header fields than this are refused: no client sends as many, and each costs an allocation.
inline constexpr std::size_t http_header_fields = 100;
/// Ranges of one request; a request for more is answered with the whole (RFC 9110, 14.2).
inline constexpr std::size_t http_ranges = 64;
/// Files in one form: bounds the answer, which names each.
inline constexpr std::size_t http_form_files = 256;
/// How often an append that was overtaken is tried again before the client is told.
inline constexpr std::size_t http_append_attempts = 8;
/// Networks of proxies that are believed: each request may look at all.
inline constexpr std::size_t http_trusted_networks = 32;
/// Tokens, and keys for URLs, of `--auth-file`.
inline constexpr std::size_t access_tokens = 10'000;
/// Issuers of JSON Web Tokens: each may have to be asked.
inline constexpr std::size_t access_issuers = 16;
/// Content that is looked up may be gone when it is opened: so often it is looked up in all.
inline constexpr std::size_t http_open_attempts = 3;
/// For so long a browser that was here once comes with HTTPS alone: a year, as is usual.
inline constexpr std::uint32_t http_strict_transport_seconds = 365u * 24 * 3600;
/// Origins that `--cors-origin` may name: each request looks through them.
inline constexpr std::size_t http_cors_origins = 32;
/// Entries of one listing page.
inline constexpr std::size_t listing_page = 1000;
/// A path, decoded (PATH_MAX), and one name in it (NAME_MAX).
inline constexpr std::size_t path_bytes = 4096;
inline constexpr std::size_t name_bytes = 255;
/// Names in a path: each may be a directory to make, so they bound what one small request can change.
inline constexpr std::size_t path_names = 255;
/// A content type is a header value, not a document.
inline constexpr std::size_t content_type_bytes = 255;
/// So is a content encoding.
inline constexpr std::size_t content_encoding_bytes = 255;
/// A client's own metadata of one file: what fits into the header of a request, and of an answer.
inline constexpr std::size_t metadata_names = 64;
inline constexpr std::size_t metadata_name_bytes = 128;
inline constexpr std::size_t metadata_bytes = 4096;
/// Files and directories that copying one directory may make: a third of a second on a small machine, in which votes
/// and appends wait. What entries do depends on it, and on the next four: another value is another format.
inline constexpr std::size_t copy_entries = 10'000;
/// Files that one entry removes because their time is over: a tenth of a copy.
inline constexpr std::size_t expired_batch = 1000;
/// Names that are looked at to see whether a directory holds nothing but what has expired; then it counts as full.
inline constexpr std::size_t emptiness_names = 1000;
/// Requests whose first answer is remembered; above it the oldest goes. 300 bytes each.
inline constexpr std::uint64_t requests = 200'000;
/// Requests that an entry forgets because they are too old: more than it adds, so that they do not pile up.
inline constexpr std::size_t request_trims = 4;
/// Expired files that one page of a listing passes: bounds the time of a page that finds little.
inline constexpr std::size_t listing_expired = 4 * listing_page;
/// Changes of keys of the name space, repeats counted, that a mirror has not taken over yet; above it the mirror is
/// built anew. A write has three: as many as a small machine does in 15 s; 100 bytes each.
inline constexpr std::size_t mirror_changed_keys = 400'000;
/// Of these, what goes into one transaction of Redis, which answers nobody else meanwhile: what a copy of a directory
/// may change (`copy_entries`, a name and an inode each), and a little.
inline constexpr std::size_t redis_transaction_keys = 25'000;
/// Commands that are sent to Redis before their answers are read.
inline constexpr std::size_t redis_pipeline = 500;
/// Keys that one step of removing an old generation looks at.
inline constexpr std::size_t redis_sweep_keys = 1000;
/// Reads that wait for Redis; above it the embedded store answers.
inline constexpr std::size_t redis_reads = 512;
/// Entries of a page that Redis is asked for: a larger one would hold up its other callers.
inline constexpr std::size_t redis_page = listing_page;
/// Inode numbers that one log entry may use: all that a copy makes, and every name of the deepest path.
inline constexpr std::uint64_t inodes_per_entry = 65'536;
static_assert(copy_entries + path_names < inodes_per_entry);
static_assert(last_index < UINT64_MAX / inodes_per_entry);

// --- inspection ---------------------------------------------------------------------------------------------------
/// A node that was asked how its actors do answers within this, or is shown as one that does not.
inline constexpr std::uint32_t report_timeout_ms = 500;
/// How often a stream says what has changed: twice a second is as much as eyes follow.
inline constexpr std::uint32_t watch_interval_ms = 500;
/// Nobody asked for so long: sampling, timing and tracing of messages end. A few beats, so that one late one costs
/// nothing.
inline constexpr std::uint32_t watch_lease_ms = 3000;
/// A stream without changes says that it is there.
inline constexpr std::uint32_t stream_silence_ms = 10'000;
/// How often a node looks at itself: for its timeline, and for rates.
inline constexpr std::uint32_t inspection_look_ms = 1000;
/// One step of an actor's history, and its steps: ten minutes.
inline constexpr std::uint32_t history_step_ms = 5000;
inline constexpr std::size_t history_steps = 120;
/// Actors are asked for a line about themselves no more often than this, however many ask for reports.
inline constexpr std::uint32_t state_interval_ms = 250;
/// Streams of one node: each is looked at twice a second.
inline constexpr std::size_t watch_streams = 32;
/// Types of messages that are counted one by one for an actor, which knows 20 at most; the rest together.
inline constexpr std::size_t counted_types = 32;
/// Messages of an actor that are kept for somebody to look at, and how far apart they are taken: making a text costs
/// more than most messages do.
inline constexpr std::size_t sampled_messages = 32;
inline constexpr std::uint32_t sample_interval_ms = 20;
inline constexpr std::size_t sample_text_bytes = 200;
/// What an actor says of itself: a line.
inline constexpr std::size_t state_line_bytes = 200;
/// Messages in one mailbox whose arrival is noted while somebody watches; what is more has no age.
inline constexpr std::size_t noted_arrivals = 4096;
/// Senders whose messages to one actor are counted while somebody watches.
inline constexpr std::size_t counted_senders = 64;
/// Actors that a node tells of one by one: a few of each kind, and its uploads up to `reported_uploads`; what is more
/// is told as a sum.
inline constexpr std::size_t reported_actors = 64;
inline constexpr std::size_t reported_uploads = 16;
/// Pairs of actors between which messages went, in one report.
inline constexpr std::size_t reported_flows = 1024;
/// Events that a node remembers; and of these, what goes with one report.
inline constexpr std::size_t timeline_events = 1000;
inline constexpr std::size_t reported_events = 64;
inline constexpr std::size_t event_text_bytes = 300;
/// Traces that a node remembers, for how long, and spans of one: a request leaves about a dozen on each node.
inline constexpr std::size_t traces = 256;
inline constexpr std::uint32_t trace_keep_ms = 600'000;
inline constexpr std::size_t trace_spans = 512;
/// Of one trace, by one actor, about one thing: a large body comes in thousands of pieces, and the steps behind the
/// last one are to have room too.
inline constexpr std::size_t trace_spans_alike = 32;
/// Of all traces: some ten MiB.
inline constexpr std::size_t spans = 16'384;
/// A message follows its mark at once. If it has not come after this, its link broke.
inline constexpr std::uint32_t trace_mark_keep_ms = 5000;
/// Traced requests that one message between nodes belongs to: more do not come together when people ask for them.
inline constexpr std::size_t traces_in_message = 4;
/// What a span is called, and what is noted of it: a method and the begin of a path.
inline constexpr std::size_t span_text_bytes = 200;

}  // namespace kaiku::limits
