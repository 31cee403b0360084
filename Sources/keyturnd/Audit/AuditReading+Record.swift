internal import Server

extension AuditReading {
    /// Writes down that the audit is read, or says on standard error why that is not on the record.
    func recordOrComplain(_ use: AuditUse) async {
        if let obstacle = await record(use) { Terminal.complain("note: this reading is not on the record: " + obstacle) }
    }
}
