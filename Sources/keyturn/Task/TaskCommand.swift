internal import ArgumentParser

/// Named so that it does not hide the language's `Task`.
struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Tasks that push accounts, change secrets, verify and remove accounts.",
        discussion:
            "A task is named by its name or id. Its kind (push, change, verify, remove) is needed only where names are not enough.",
        subcommands: [
            TaskList.self, TaskCreate.self, TaskShow.self, TaskDryRun.self, TaskRun.self, TaskWatch.self, TaskRecords.self,
            TaskRetry.self, TaskRestore.self, TaskCancel.self, TaskDelete.self,
        ])
}
