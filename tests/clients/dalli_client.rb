# dalli: the Ruby client, here as Debian has it, over the binary protocol.
#
# Arguments: HOST PORT, then for a login USER PASSWORD. Flushes the server.

require "dalli"

HOST, PORT, USERNAME, PASSWORD = ARGV
Dalli.logger.level = Logger::FATAL
$count = 0
$failed = 0
$group = ""

def ok(name, claim, detail = "")
  $count += 1
  $failed += 1 unless claim
  puts "#{claim ? "ok" : "not ok"} #{$count} - #{$group}: #{name}"
  puts "#   #{detail[0, 300]}" unless claim || detail.empty?
end

def equal(name, got, expected)
  ok(name, got == expected, "got #{got.inspect}, expected #{expected.inspect}")
end

def group(name)
  $group = name
  yield
rescue StandardError => e
  ok("runs to its end", false, "#{e.class}: #{e.message}")
end

def connect(username = USERNAME, password = PASSWORD)
  login = username.nil? ? {} : { username: username, password: password }
  Dalli::Client.new("#{HOST}:#{PORT}", { socket_timeout: 5, **login })
end

dc = connect

group "get and set" do
  equal "get of an unknown key", dc.get("none"), nil
  ok "set", dc.set("a", "one")
  equal "get", dc.get("a"), "one"
  bytes = (0..255).map(&:chr).join.b
  dc.set("a", bytes, nil, raw: true)
  equal "every byte", dc.get("a", raw: true)&.b, bytes
  dc.set("a", { list: [1, "two", nil] })
  equal "an object", dc.get("a"), { list: [1, "two", nil] }
  ok "set of 1 MB in parts of a request", dc.set("a", "x" * 1_000_000)
  equal "get of it", dc.get("a"), "x" * 1_000_000
end

group "add, replace and cas" do
  ok "replace of a missing key", [0, false].include?(dc.replace("b", "x"))
  ok "add", dc.add("b", "one")
  equal "add again", dc.add("b", "two"), false
  ok "replace", dc.replace("b", "three")
  ok "cas", dc.cas("b") { |value| value + "!" }
  equal "get", dc.get("b"), "three!"
  equal "cas of a missing key", dc.cas("none") { "x" }, nil
  equal "cas that comes too late", dc.cas("b") { dc.set("b", "x") && "y" }, false
end

group "append and prepend" do
  dc.set("c", "mid", nil, raw: true)
  ok "append", dc.append("c", ">")
  ok "prepend", dc.prepend("c", "<")
  equal "get", dc.get("c", raw: true), "<mid>"
end

group "incr and decr" do
  equal "incr of a missing key", dc.incr("n", 1), nil
  equal "incr with an initial value", dc.incr("n", 1, nil, 2**40), 2**40
  equal "incr", dc.incr("n", 5), 2**40 + 5
  equal "decr", dc.decr("n", 6), 2**40 - 1
  equal "decr stops at 0", dc.decr("n", 2**50), 0
end

group "delete, touch and expiry" do
  ok "delete of a missing key", !dc.delete("none")
  ok "delete", dc.delete("c")
  equal "touch of a missing key", dc.touch("none", 10), nil
  dc.set("d", "x", 1)
  dc.set("e", "x", 1)
  ok "touch", dc.touch("e", 1000)
  sleep 2.2
  equal "expired", dc.get("d"), nil
  equal "touched", dc.get("e"), "x"
  equal "gat", dc.gat("e", 100), "x"
end

group "many keys at once" do
  keys = (0...500).map { |n| "m#{n}" }
  dc.multi { keys.each { |key| dc.set(key, "value of #{key}") } }
  equal "get_multi", dc.get_multi(keys + ["none"]), keys.to_h { |key| [key, "value of #{key}"] }
end

group "server" do
  stats = dc.stats["#{HOST}:#{PORT}"]
  ok "stats", stats["cmd_get"].to_i > 500, stats.inspect
  ok "version", dc.version.values.first =~ /\A\d+\.\d+\.\d+\z/
end

unless USERNAME.nil?
  group "login" do
    stranger = connect(USERNAME, "#{PASSWORD}!")
    refused = begin
      stranger.set("a", "x")
    rescue Dalli::DalliError
      true
    end
    equal "a wrong password", refused, true
  end
end

group "flush" do
  dc.set("f", "x")
  ok "flush", dc.flush
  equal "get after it", dc.get("f"), nil
end

puts "1..#{$count}"
exit($failed.zero? ? 0 : 1)
