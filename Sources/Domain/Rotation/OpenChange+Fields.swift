// The stored form of what no query asks for: a flat list of names and values.

extension OpenChange {
    /// Names and values by turns, in a fixed order.
    package var fields: [String] {
        var list: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { list += [name, value] }
        }
        add("kind", kind.rawValue)
        add("generated", plan.isGenerated ? "1" : "0")
        add("checks", plan.checksConnection ? "1" : "0")
        add("username", request.username)
        add("secret_type", request.secretType.rawValue)
        add("key_strategy", request.keyStrategy)
        add("worker", request.worker.description)
        add("mark", request.mark)
        add("secret_seen", request.isSecretSeen ? "1" : nil)
        for name in request.parameters.keys.sorted() { add("param." + name, request.parameters[name]) }
        add("old", old.map { "\($0)" })
        add("started_by", startedBy)
        add("candidate", memory.candidate.map { "\($0)" })
        add("candidates_used", "\(memory.candidatesUsed)")
        add("acknowledged", memory.isAcknowledged ? "1" : "0")
        add("stored", memory.isStored ? "1" : "0")
        add("rejections", "\(memory.rejections)")
        add("rounds", "\(memory.rounds)")
        add("guessed", memory.guessed.map { "\($0)" }.joined(separator: ","))
        add("doubt.status", memory.doubt?.status.rawValue)
        add("doubt.reason", memory.doubt?.reason.rawValue)
        add("doubt.words", memory.doubt?.words)
        add("doubt.until", memory.doubt?.until.map { "\($0.milliseconds)" })
        return list
    }

    /// Reads the stored form; nil if it is none.
    package static func read(_ fields: [String], notBefore: Timestamp?) -> (
        kind: Kind, plan: SecretTurn.Plan, request: Request, old: Int64?, startedBy: String, memory: SecretTurn.Memory
    )? {
        guard fields.count % 2 == 0 else { return nil }
        var values: [String: String] = [:]
        for index in stride(from: 0, to: fields.count, by: 2) { values[fields[index]] = fields[index + 1] }
        guard let kind = values["kind"].flatMap(Kind.init), let username = values["username"],
            let type = values["secret_type"].flatMap(SecretType.init), let strategy = values["key_strategy"],
            let worker = values["worker"].flatMap({ AccountID($0) }), let startedBy = values["started_by"],
            let memory = memory(values, notBefore)
        else { return nil }
        let parameters = values.filter { $0.key.hasPrefix("param.") }.map { (String($0.key.dropFirst(6)), $0.value) }
        let request = Request(
            username: username, secretType: type, keyStrategy: strategy,
            parameters: Dictionary(parameters, uniquingKeysWith: { $1 }), worker: worker, mark: values["mark"],
            isSecretSeen: values["secret_seen"] == "1")
        let plan = SecretTurn.Plan(
            isGenerated: values["generated"] == "1", checksConnection: values["checks"] != "0", isRemoval: kind == .remove)
        return (kind, plan, request, values["old"].flatMap { Int64($0) }, startedBy, memory)
    }

    private static func memory(_ values: [String: String], _ notBefore: Timestamp?) -> SecretTurn.Memory? {
        var memory = SecretTurn.Memory()
        guard let used = values["candidates_used"].flatMap({ Int($0) }), let rounds = values["rounds"].flatMap({ Int($0) }),
            let rejections = values["rejections"].flatMap({ Int($0) }), let guessed = values["guessed"]
        else { return nil }
        memory.candidate = values["candidate"].flatMap { Int64($0) }
        memory.candidatesUsed = used
        memory.rounds = rounds
        memory.rejections = rejections
        memory.isAcknowledged = values["acknowledged"] == "1"
        memory.isStored = values["stored"] == "1"
        memory.guessed = guessed.split(separator: ",").compactMap { Int64($0) }
        memory.notBefore = notBefore
        if let status = values["doubt.status"].flatMap(RecordOutcome.Status.init),
            let reason = values["doubt.reason"].flatMap(TurnReason.init)
        {
            let until = values["doubt.until"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
            memory.doubt = RecordOutcome(status, reason, words: values["doubt.words"] ?? "", until: until)
        }
        return memory
    }
}
