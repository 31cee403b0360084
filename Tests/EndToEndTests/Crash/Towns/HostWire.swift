import Foundation
import Synchronization
import TestSupport

/// Cuts connections of SSH, whose bytes tell nothing, right when `chpasswd` is run: the host runs a script in its place, which says from
/// where it was called, waits, and does what it is told.
final class HostWire: Wire {
    private static let place = "/run/crash"

    /// Shell commands that put the script there, in the host's own mount namespace.
    static let setUp = """
        mkdir -m 755 \(place)
        cp -p /usr/sbin/chpasswd \(place)/chpasswd
        cat > \(place)/script <<'END_OF_SCRIPT'
        \(script)
        END_OF_SCRIPT
        chmod 755 \(place)/script
        mount --bind \(place)/script /usr/sbin/chpasswd
        """

    /// The port that names the connection stands in the environment of the session's first process, which sudo does not pass on.
    private static let script = """
        #!/bin/sh
        place=\(place)
        input=$(cat)
        word=apply
        port=
        if [ -e $place/armed ]; then
            process=$$
            while [ "$process" -gt 1 ]; do
                port=$(tr '\\0' '\\n' < /proc/$process/environ | sed -n 's/^SSH_CONNECTION=[^ ]* \\([0-9]*\\) .*/\\1/p')
                [ -z "$port" ] || break
                process=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$process/status)
            done
            : > "$place/came-$port"
            tries=0
            while [ ! -s "$place/go-$port" ] && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries + 1)); done
            word=$(cat "$place/go-$port")
            rm -f "$place/go-$port"
        fi
        case $word in
        skip) exit 1 ;;
        late)
            # The session is over by then.
            trap '' HUP
            (
                while [ ! -e $place/release ]; do sleep 0.1; done
                printf '%s\\n' "$input" | $place/chpasswd
                : > "$place/done-$port"
            ) </dev/null >/dev/null 2>&1 &
            ;;
        *)
            printf '%s\\n' "$input" | $place/chpasswd
            status=$?
            [ -z "$port" ] || : > "$place/done-$port"
            exit $status
            ;;
        esac
        """

    private let proxy: CuttingProxy
    /// The script's directory as the machine sees it.
    private let directory: String
    private let late = Late()

    var port: UInt16 { proxy.port }
    var count: Int { proxy.count }

    init(_ host: TestHost) throws {
        proxy = try CuttingProxy(to: UInt16(host.port))
        directory = "/proc/\(host.firstProcess)/root" + Self.place
        let (proxy, directory, late) = (proxy, directory, late)
        Thread.detachNewThread { Self.watch(directory, proxy, late) }
    }

    func arm(_ cut: CuttingProxy.Cut?, times: Int) {
        try? FileManager.default.removeItem(atPath: directory + "/release")
        proxy.arm(cut, times: times)
        if cut == nil {
            try? FileManager.default.removeItem(atPath: directory + "/armed")
        } else {
            Self.write("", to: directory + "/armed")
        }
    }

    func release() async throws {
        Self.write("", to: directory + "/release")
        let (directory, ports) = (directory, late.take())
        try await onOwnThread { for port in ports { Self.waitForEnd(port, directory) } }
    }

    /// Connections whose commands are held back.
    private final class Late: Sendable {
        private let ports = Mutex<[UInt16]>([])
        func add(_ port: UInt16) { ports.withLock { $0.append(port) } }
        func take() -> [UInt16] {
            ports.withLock { ports in
                defer { ports = [] }
                return ports
            }
        }
    }

    /// Until what was told over a connection has been done.
    private static func waitForEnd(_ port: UInt16, _ directory: String) {
        let (file, deadline) = (directory + "/done-\(port)", ContinuousClock.now + .seconds(60))
        while !FileManager.default.fileExists(atPath: file), ContinuousClock.now < deadline { usleep(10_000) }
    }

    private static func write(_ word: String, to path: String) {
        // Nothing to write to: the host is gone, and the test that it belonged to.
        _ = FileManager.default.createFile(atPath: path, contents: Data(word.utf8))
    }

    /// Until the host is gone.
    private static func watch(_ directory: String, _ proxy: CuttingProxy, _ late: Late) {
        while let names = try? FileManager.default.contentsOfDirectory(atPath: directory) {
            for name in names where name.hasPrefix("came-") {
                try? FileManager.default.removeItem(atPath: directory + "/" + name)
                guard let port = UInt16(name.dropFirst("came-".count)) else { continue }
                Thread.detachNewThread { answer(port, directory, proxy, late) }
            }
            usleep(10_000)
        }
    }

    private static func answer(_ port: UInt16, _ directory: String, _ proxy: CuttingProxy, _ late: Late) {
        // Of an earlier connection from the same port.
        try? FileManager.default.removeItem(atPath: directory + "/done-\(port)")
        func say(_ word: String) { write(word, to: directory + "/go-\(port)") }
        switch proxy.next() {
        case nil: say("apply")
        case .before:
            proxy.end(from: port)
            say("skip")
        case .after:
            proxy.mute(from: port)
            say("apply")
            waitForEnd(port, directory)
            proxy.end(from: port)
        case .silence:
            proxy.mute(from: port)
            say("apply")
        case .late:
            proxy.end(from: port)
            late.add(port)
            say("late")
        }
    }
}
