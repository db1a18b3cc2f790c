import './sealed/records.ts'
import './sealed/cookies.ts'
