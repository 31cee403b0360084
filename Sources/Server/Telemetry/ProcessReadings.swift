internal import Glibc

/// What the operating system says about this process.
package enum ProcessReadings {
    /// Adds memory, descriptors, processor time and uptime to the metrics.
    package static func register(in registry: MetricRegistry) {
        let start = ContinuousClock.now
        registry.read("keyturn_uptime_seconds") { Double((ContinuousClock.now - start).components.seconds) }
        registry.read("process_resident_memory_bytes") { Double(residentBytes) }
        registry.read("process_open_fds") { Double(openDescriptors) }
        registry.read("process_cpu_seconds_total", .counter) { processorSeconds }
    }

    /// From `/proc/self/statm`, whose second number is resident pages (proc(5)); 0 if it cannot be read.
    static var residentBytes: Int64 {
        let fields = SystemFile.text("/proc/self/statm", limit: 256).split(separator: " ")
        guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var openDescriptors: Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the directory itself.
        return max(0, count - 3)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Small files that the kernel makes up.
enum SystemFile {
    /// The beginning of a file; empty if it cannot be read.
    static func text(_ path: String, limit: Int) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = read(file, &bytes, limit)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}
