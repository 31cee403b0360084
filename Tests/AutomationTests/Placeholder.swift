import Automation
import Testing
